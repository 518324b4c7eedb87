/** What a browser knows of its network and its page (LV-4, CL-5). Nothing outside one. */
import { assert } from "@holdfast/protocol";
import type { Hint } from "../core/connectionState.ts";

/** Tells what is so now, then each change. Returns how to stop it. */
export function watchBrowser(tell: (hint: Hint) => void): () => void {
  const watching = new AbortController();
  const on = (target: EventTarget, event: string, hint: (event: Event) => Hint | undefined): void =>
    target.addEventListener(
      event,
      (happened) => {
        const told = hint(happened);
        if (told !== undefined) tell(told);
      },
      watching,
    );
  if (typeof window !== "undefined" && typeof document !== "undefined") {
    const visibility = (): Hint => (document.hidden ? "hidden" : "visible");
    if (!navigator.onLine) tell("offline");
    tell(visibility());
    on(window, "online", () => "online");
    on(window, "offline", () => "offline");
    on(window, "pageshow", (shown) => ((shown as PageTransitionEvent).persisted ? "woke" : undefined));
    on(document, "visibilitychange", visibility);
  }
  return () => watching.abort();
}

/** The socket's address at the server that this page came from. */
export function pageUrl(): string {
  assert(typeof location !== "undefined", "createSession outside a page needs `url`, like ws://127.0.0.1:4400/ws");
  return `${location.origin.replace("http", "ws")}/ws`;
}

/** A server on this machine is there whatever the network does (CL-5). */
export function isLoopback(url: () => string): boolean {
  try {
    return /^wss?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/i.test(url());
  } catch {
    return false;
  }
}
