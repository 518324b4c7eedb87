/** The time now, for ages: one timer for the whole page, none while nobody looks. */
import { useSyncExternalStore } from "react";
import { pageClock } from "../platform/clockShell.ts";

/** How often ages are drawn anew. */
const tickMs = 1_000;

const listeners = new Set<() => void>();
let now = pageClock.now();
let stop: (() => void) | undefined;

export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (stop === undefined) {
    now = pageClock.now();
    stop = pageClock.every(tickMs, tick);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.();
    stop = undefined;
  };
}

function tick(): void {
  if (document.visibilityState === "hidden") return;
  now = pageClock.now();
  for (const listener of listeners) listener();
}
