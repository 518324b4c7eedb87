/**
 * SIGTERM and SIGINT: the first asks to stop, a later SIGINT stops at once.
 *
 * One Ctrl-C reaches a process twice where npm passes on what the terminal already sent to the whole group,
 * so a SIGINT counts as a second one only after `repeatedSignalMsMin`. Invariant: while listening, no signal
 * of the two ends the process by itself.
 */
export const repeatedSignalMsMin = 500;

export interface StopHandlers {
  /** Once, at the first signal. */
  readonly stop: (signal: "SIGTERM" | "SIGINT") => void;
  /** At a later SIGINT. */
  readonly abort: () => void;
}

/** Listens from now on; returns how to stop listening. */
export function onStopSignals({ stop, abort }: StopHandlers): () => void {
  let stoppedAt: number | undefined;
  const listener = (signal: "SIGTERM" | "SIGINT"): void => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now();
      stop(signal);
    } else if (signal === "SIGINT" && performance.now() - stoppedAt >= repeatedSignalMsMin) {
      abort();
    }
  };
  process.on("SIGTERM", listener);
  process.on("SIGINT", listener);
  return () => {
    process.off("SIGTERM", listener);
    process.off("SIGINT", listener);
  };
}
