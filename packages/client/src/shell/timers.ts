/** Named timers over a clock: one of each name, and none that was cancelled is heard. */
import { type Clock, limits, type TimerHandle } from "@holdfast/protocol";
import type { TimerName } from "../core/effects.ts";

export interface Timers {
  arm(timer: TimerName, atMs: number): void;
  disarm(timer: TimerName): void;
  disarmAll(): void;
}

/** `due(timer, isCurrent, late)`: `isCurrent` tells, when the event is taken, whether it was re-armed meanwhile. */
export function makeTimers(
  clock: Clock,
  due: (timer: TimerName, isCurrent: () => boolean, late: boolean) => void,
): Timers {
  const armed = new Map<TimerName, { handle: TimerHandle }>();
  const disarm = (timer: TimerName): void => {
    const entry = armed.get(timer);
    if (entry === undefined) return;
    clock.cancel(entry.handle);
    armed.delete(timer);
  };
  return {
    arm(timer, atMs) {
      disarm(timer);
      const entry: { handle: TimerHandle } = { handle: undefined };
      armed.set(timer, entry);
      entry.handle = clock.after(Math.max(0, Math.ceil(atMs - clock.monotonic())), () => {
        // A timer this late means that the machine or the page slept (LV-4).
        const late = clock.monotonic() - atMs > limits.wakeTimerLateMs;
        due(timer, () => armed.get(timer) === entry, late);
      });
    },
    disarm,
    disarmAll() {
      for (const timer of [...armed.keys()]) disarm(timer);
    },
  };
}
