/**
 * Bad weather on one socket, asked for by whom it is the socket of: what a network does to anybody, on demand.
 *
 * Life cycle: a socket has none until it is first disturbed → `set` as often as wanted → gone with its socket. What is
 * held back goes on in its order, also when the weather turns: a network delays, loses from some moment on, or ends;
 * it never reorders. Invariant: what waits counts as unsent, so that a slow line is a slow reader (ST-11). Pure.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";

/** `cut` ends TCP without a word; `halfOpen` lets nothing through any more, and tells nobody. */
export type Weather = "fair" | "slow" | "halfOpen" | "cut";

/** Each way, in slow weather. */
export const slowDelayMs = 1_000;

interface Held {
  readonly dueAt: number;
  readonly bytes: number;
  readonly run: () => void;
}

export interface Line {
  set(weather: Exclude<Weather, "cut">): void;
  /** Lets a frame through now, later, or never. `bytes`: of one that goes out. */
  pass(run: () => void, bytes?: number): void;
  /** Of what goes out and is held back. */
  readonly heldBytes: number;
  end(): void;
}

/** @param drained what went out has all been let through */
export function createLine(clock: Clock, drained: () => void): Line {
  let weather: Exclude<Weather, "cut"> = "fair";
  let held: Held[] = [];
  let timer: TimerHandle | undefined;
  let heldBytes = 0;

  const release = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    const before = heldBytes;
    while (held[0] !== undefined && held[0].dueAt <= now) {
      const [{ run, bytes }] = held as [Held];
      held.shift();
      heldBytes -= bytes;
      run();
    }
    schedule();
    if (before > 0 && heldBytes === 0) drained();
  };

  const schedule = (): void => {
    const [first] = held;
    if (first !== undefined && timer === undefined)
      timer = clock.after(Math.max(0, first.dueAt - clock.monotonic()), release);
  };

  const forget = (): void => {
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    held = [];
    heldBytes = 0;
  };

  return {
    set(next) {
      weather = next;
      if (next === "halfOpen") forget();
    },
    pass(run, bytes = 0) {
      if (weather === "halfOpen") return;
      if (weather === "fair" && held.length === 0) {
        run();
        return;
      }
      const last = held.at(-1)?.dueAt ?? Number.NEGATIVE_INFINITY;
      const dueAt = Math.max(last, clock.monotonic() + (weather === "slow" ? slowDelayMs : 0));
      held.push({ dueAt, bytes, run });
      heldBytes += bytes;
      schedule();
    },
    get heldBytes() {
      return heldBytes;
    },
    end: forget,
  };
}
