/** What the session shows of itself (CL-11): derived from the core, never kept beside it. */
import type { SessionState, SessionStatistics } from "../api.ts";
import type { SessionCore } from "./sessionCore.ts";
import { isSettled } from "./streamReading.ts";

/** `wallOffsetMs`: wall clock minus monotonic, ms. */
export function publicState(core: SessionCore, wallOffsetMs: number): SessionState {
  const { state, failures, online } = core.connection;
  switch (state.kind) {
    case "idle":
    case "authenticating":
      return { kind: state.kind };
    case "connecting":
    case "greeting":
      return { kind: "connecting", attempt: failures + 1 };
    case "waiting":
      return online
        ? {
            kind: "waiting",
            attempt: failures + 1,
            retryAt: Math.round(state.deadlineMs + wallOffsetMs),
            reason: state.reason,
          }
        : { kind: "offline" };
    case "open":
      if (core.degraded !== undefined) return { kind: "degraded", ...core.degraded };
      return openState(core);
    case "stopped":
      return { kind: "stopped", reason: state.reason };
    case "closing":
    case "closed":
      return { kind: "stopped", reason: state.kind };
  }
}

/** For the program, and for the server once a minute (ST-16). `now`: monotonic ms. */
export function publicStatistics({ counts, lag }: SessionCore, now: number): SessionStatistics {
  return { ...counts, ...lag.figures(now) };
}

function openState(core: SessionCore): SessionState {
  let behind = 0;
  let settled = true;
  for (const stream of core.streams.values()) {
    settled = settled && isSettled(stream);
    if (!stream.answered) continue;
    for (const { stopped, cursor } of stream.subscribers) {
      if (stopped === undefined && cursor !== undefined) behind = Math.max(behind, stream.head - cursor.offset);
    }
  }
  return settled && behind === 0 ? { kind: "live" } : { kind: "catchingUp", behind };
}
