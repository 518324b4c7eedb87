/**
 * A clock that stands still until a test moves it; between two timers everything pending is run, the loop's own turns
 * too, since a model streams over them: the client's test clock waits for promises only, and the server is not imported here.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";

export interface SimClock extends Clock {
  advance(ms: number): Promise<void>;
  readonly timers: number;
}

export function simClock(): SimClock {
  const startMs = 1_780_000_000_000;
  let now = 0;
  let next = 1;
  const timers = new Map<number, { at: number; run: () => void }>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => startMs + now,
    monotonic: () => now,
    after(ms, run): TimerHandle {
      timers.set(next, { at: now + ms, run });
      return next++;
    },
    cancel: (handle) => void timers.delete(handle as number),
    get timers() {
      return timers.size;
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const [due] = [...timers.entries()]
          .filter(([, timer]) => timer.at <= until)
          .sort(([, left], [, right]) => left.at - right.at);
        if (due === undefined) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].run();
        await settle();
      }
      now = until;
    },
  };
}
