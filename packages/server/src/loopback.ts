/** Whether a name or address is this machine to itself: `localhost`, `127.0.0.1` and its kind, `::1`. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/i.test(host);
}
