/**
 * One clock for a crowd: virtual, ordered, and patient with work that other threads do.
 *
 * What is due in one moment happens together, in the order in which it was armed; then everything that follows without
 * waiting is done, and whatever was begun under {@link VirtualClock.during} (a signature, which another thread checks);
 * then the next moment comes. Invariant: no virtual time passes while real work is under way.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";

/** Turns of the loop after which nothing follows any more: a commit is some promises long. */
const quietTurns = 6;

interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export interface VirtualClock extends Clock {
  /** Runs `work` while time stands still. */
  during<Value>(work: () => Promise<Value>): Promise<Value>;
  advance(ms: number): Promise<void>;
  /** Lets time pass, ms by ms, until it is there. */
  until<Value>(promise: Promise<Value>): Promise<Value>;
}

export function makeVirtualClock(startMs: number): VirtualClock {
  let now = 0;
  let orders = 0;
  let underWay = 0;
  /** By moment; a moment's timers in the order of arming. */
  const moments = new Map<number, Timer[]>();
  const queue: number[] = [];

  const push = (at: number): void => {
    queue.push(at);
    for (let index = queue.length - 1; index > 0; ) {
      const above = (index - 1) >> 1;
      if ((queue[above] as number) <= (queue[index] as number)) break;
      [queue[above], queue[index]] = [queue[index] as number, queue[above] as number];
      index = above;
    }
  };
  const pop = (): number => {
    const first = queue[0] as number;
    const last = queue.pop() as number;
    if (queue.length === 0) return first;
    queue[0] = last;
    for (let index = 0; ; ) {
      let least = index;
      for (const below of [2 * index + 1, 2 * index + 2])
        if (below < queue.length && (queue[below] as number) < (queue[least] as number)) least = below;
      if (least === index) return first;
      [queue[least], queue[index]] = [queue[index] as number, queue[least] as number];
      index = least;
    }
  };
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < quietTurns; ) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = underWay === 0 ? quiet + 1 : 0;
    }
  };

  const clock: VirtualClock = {
    now: () => startMs + now,
    monotonic: () => now,
    after(ms, run): TimerHandle {
      const timer: Timer = { at: now + Math.max(0, ms), order: orders++, run };
      const there = moments.get(timer.at);
      if (there === undefined) {
        moments.set(timer.at, [timer]);
        push(timer.at);
      } else there.push(timer);
      return timer;
    },
    cancel(handle) {
      // As the platform's: a handle of nothing cancels nothing.
      if (handle !== undefined) (handle as Timer).run = undefined;
    },
    async during(work) {
      underWay += 1;
      try {
        return await work();
      } finally {
        underWay -= 1;
      }
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      while ((queue[0] ?? Number.POSITIVE_INFINITY) <= until) {
        const at = pop();
        now = Math.max(now, at);
        const due = moments.get(at) ?? [];
        moments.delete(at);
        const live = due.filter(({ run }) => run !== undefined);
        for (const timer of live) timer.run?.();
        if (live.length > 0) await settle();
      }
      now = until;
    },
    async until(promise) {
      let isThere = false;
      const done = promise.finally(() => {
        isThere = true;
      });
      await settle();
      while (!isThere) await clock.advance(1);
      return done;
    },
  };
  return clock;
}
