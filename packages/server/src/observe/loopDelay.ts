/** How late this thread's event loop is, over the last {@link windowMs}: a thin shell over Node's own monitor. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock, TimerHandle } from "@holdfast/protocol";

const resolutionMs = 20;
const windowMs = 10_000;

export interface LoopDelay {
  /** p99 of the last whole window, ms; 0 before there is one. */
  p99Ms(): number;
  stop(): void;
}

export function watchLoopDelay(clock: Clock): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let p99Ms = 0;
  let timer: TimerHandle;
  const turn = (): void => {
    // What the monitor itself waits for is no delay.
    p99Ms = Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs);
    histogram.reset();
    timer = clock.after(windowMs, turn);
  };
  timer = clock.after(windowMs, turn);
  return {
    p99Ms: () => p99Ms,
    stop() {
      clock.cancel(timer);
      histogram.disable();
    },
  };
}
