/** What a browser knows of its network and its page (LV-4, CL-5). Nothing outside one. */
import { assert } from "@holdfast/protocol";
import type { Hint } from "../core/connectionState.ts";

/** Tells what is so now, then each change. Returns how to stop it. */
export function watchBrowser(tell: (hint: Hint) => void): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const online = (): void => tell("online");
  const offline = (): void => tell("offline");
  const visibility = (): void => tell(document.visibilityState === "hidden" ? "hidden" : "visible");
  const shown = (event: PageTransitionEvent): void => {
    if (event.persisted) tell("woke");
  };
  if (!navigator.onLine) offline();
  visibility();
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  window.addEventListener("pageshow", shown);
  document.addEventListener("visibilitychange", visibility);
  return () => {
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
    window.removeEventListener("pageshow", shown);
    document.removeEventListener("visibilitychange", visibility);
  };
}

/** The socket's address at the server that this page came from. */
export function pageUrl(): string {
  assert(typeof location !== "undefined", "createSession outside a page needs `url`, like ws://127.0.0.1:4400/ws");
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`;
}

/** A server on this machine is there whatever the network does (CL-5). */
export function isLoopback(url: () => string): boolean {
  try {
    return /^wss?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/i.test(url());
  } catch {
    return false;
  }
}
