/** What a browser knows of its network and its page (LV-4, CL-5). Nothing outside one. */
import { ProtocolError } from "@holdfast/protocol";
import type { Hint } from "../core/connectionState.ts";

/** Tells what is so now, then each change. Returns how to stop it. */
export function watchBrowser(tell: (hint: Hint) => void): () => void {
  if (typeof document === "undefined") return () => {};
  const watching = new AbortController();
  const visibility = (): void => tell(document.hidden ? "hidden" : "visible");
  if (!navigator.onLine) tell("offline");
  visibility();
  for (const hint of ["online", "offline"] as const) addEventListener(hint, () => tell(hint), watching);
  addEventListener("pageshow", ({ persisted }) => persisted && tell("woke"), watching);
  document.addEventListener("visibilitychange", visibility, watching);
  return () => watching.abort();
}

/** The socket's address at the server that this page came from. */
export function pageUrl(): string {
  if (typeof location === "undefined") throw new ProtocolError("invalid_params", "outside a page `url` is needed");
  return `${location.origin.replace("http", "ws")}/ws`;
}

/** A server on this machine is there whatever the network does (CL-5). */
export function isLoopback(url: () => string): boolean {
  try {
    // What a URL makes of a host that is an IPv4 address are four numbers.
    return /^(localhost|127[.\d]+|\[::1])$/.test(new URL(url()).hostname);
  } catch {
    return false;
  }
}
