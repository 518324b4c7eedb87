/**
 * Is the other side there? (LV-1, LV-3, LV-4)
 *
 *   quiet ──interval──▶ ping sent ──any frame──▶ quiet
 *                           └──deadline──▶ dead (found late: once more 2 s)
 *
 * Invariant: only an unanswered ping proves death. A timer found late proves nothing but sleep, so the
 * queued `pong` gets one more chance to be read. What is done when it is due stands in `living.ts`.
 */

/** What an open connection knows of it. */
export interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  heardMs: number;
  sentMs: number;
  n: number;
  /** Present while a ping is unanswered. `isGraced`: LV-3's second chance was given. */
  awaiting: { readonly deadlineMs: number; readonly isGraced: boolean } | undefined;
}

/** When to look again. */
export function heartbeatDueMs({ intervalMs, heardMs, sentMs, awaiting }: Heartbeat): number {
  // A doubled timeout may exceed what the server waits for a frame of ours (LV-2): pings go on meanwhile.
  return Math.min(awaiting?.deadlineMs ?? heardMs + intervalMs, sentMs + intervalMs);
}
