/**
 * Virtual time: a heap of what happens when, and the one loop that lets it happen.
 *
 * Events of one time are ordered by a draw for each lane (a process's timers, a direction of a connection), so
 * equal times explore orders; within one lane they keep the order in which they were planned, as timers and TCP
 * do. Between two events every promise settles (`settled`, the shell's), so an event is a whole turn of the loop.
 * Invariant: time never goes back, and nothing but the heap moves it.
 */
import { hash } from "./dice.ts";

export interface Planned {
  readonly at: number;
  readonly tie: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Far more than any plan makes; a timer of 0 ms that is armed for ever gets there in a second. */
const eventsPerMsMax = 20_000;

/** So much happens within one ms that it will never end: something is awaited that only time can bring. */
export class Standstill extends Error {
  override readonly name = "Standstill";

  constructor(at: number) {
    super(`time stands still: ${eventsPerMsMax} events within the ms ${at}, and more to come`);
  }
}

/** Who plans: events of one lane at one time keep their order. */
export interface Lane {
  readonly salt: number;
}

export interface Scheduler {
  /** Virtual ms since the start. */
  readonly now: number;
  /** Events that have happened. */
  readonly events: number;
  /** Events planned and not cancelled. */
  readonly waiting: number;
  lane(name: string): Lane;
  /** Plans `run` for the whole ms `at`, or for now where that has passed. */
  at(lane: Lane, at: number, run: () => void): Planned;
  cancel(planned: Planned): void;
  /** Lets everything happen up to and including `until`. Rejects with what an event threw, or with a {@link Standstill}. */
  run(until: number): Promise<void>;
}

/** Runs `step` in turns of the loop until it is false, all promises settled in between. */
export type Turns = (step: () => boolean) => Promise<void>;

export function makeScheduler(seed: number, turns: Turns): Scheduler {
  const heap: Planned[] = [];
  let now = 0;
  let order = 0;
  let events = 0;
  let cancelled = 0;
  let eventsOfMs = 0;

  /** What was cancelled would fill the heap: timers are re-armed more often than they fire. */
  const sweep = (): void => {
    if (cancelled < 256 || cancelled < heap.length / 2) return;
    const kept = heap.filter((one) => !one.cancelled);
    heap.length = 0;
    for (const one of kept) push(heap, one);
    cancelled = 0;
  };

  return {
    get now() {
      return now;
    },
    get events() {
      return events;
    },
    get waiting() {
      return heap.length - cancelled;
    },
    lane: (name) => ({ salt: hash(name, seed ^ 0x5bd1e995) }),
    at(lane, at, run) {
      const time = Math.max(now, Math.ceil(at));
      order += 1;
      const planned: Planned = { at: time, tie: mix(lane.salt, time), order, run, cancelled: false };
      push(heap, planned);
      return planned;
    },
    cancel(planned) {
      if (planned.cancelled) return;
      planned.cancelled = true;
      cancelled += 1;
      sweep();
    },
    async run(until) {
      await turns(() => {
        for (;;) {
          const next = heap[0];
          if (next === undefined || next.at > until) break;
          pop(heap);
          if (next.cancelled) {
            cancelled -= 1;
            continue;
          }
          eventsOfMs = next.at === now ? eventsOfMs + 1 : 1;
          now = next.at;
          if (eventsOfMs > eventsPerMsMax) throw new Standstill(now);
          // It happened: a late `cancel` of it must not count.
          next.cancelled = true;
          events += 1;
          next.run();
          return true;
        }
        now = Math.max(now, until);
        return false;
      });
    },
  };
}

function mix(salt: number, time: number): number {
  let value = Math.imul(salt ^ (time | 0), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function isBefore(one: Planned, other: Planned): boolean {
  if (one.at !== other.at) return one.at < other.at;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.order < other.order;
}

function push(heap: Planned[], item: Planned): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Planned;
    if (!isBefore(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Planned[]): void {
  const last = heap.pop() as Planned;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Planned)) child += 1;
    const below = heap[child] as Planned;
    if (!isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
