/** One connection that says what a test tells it to: frames as they are on the wire. */

export type Message = Record<string, unknown> & { readonly type: string };

export interface RawConnection {
  readonly welcome: Message;
  say(message: Message): void;
  /** The first message, so far or to come, that is wanted. */
  hears(wanted: (message: Message) => boolean): Promise<Message>;
  close(): void;
}

export async function connectRaw(
  url: string,
  token: string,
  hello: Record<string, unknown> = {},
): Promise<RawConnection> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws`, "holdfast.v1");
  const heard: Message[] = [];
  const waiting = new Set<() => void>();
  socket.addEventListener("message", ({ data }) => {
    heard.push(...(JSON.parse(String(data)) as Message[]));
    for (const look of waiting) look();
  });
  await new Promise((done) => socket.addEventListener("open", done, { once: true }));
  const say = (message: Message): void => socket.send(JSON.stringify([message]));
  const hears = (wanted: (message: Message) => boolean): Promise<Message> =>
    new Promise((done) => {
      const look = (): void => {
        const found = heard.find(wanted);
        if (found === undefined) return;
        waiting.delete(look);
        done(found);
      };
      waiting.add(look);
      look();
    });
  const client = { name: "test", version: "1" };
  const own = { protocol: 1, instance: crypto.randomUUID(), attempt: 1, client, visible: true, token };
  say({ type: "hello", ...own, ...hello });
  const welcome = await hears(({ type }) => type === "welcome");
  return { say, hears, welcome, close: () => socket.close() };
}
