/** Time that moves only when a test says so. Timers run in order; promises settle between them. */
import type { Clock, TimerHandle } from "@holdfast/protocol";

export class SimClock implements Clock {
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();
  readonly #startMs: number;
  #nowMs = 0;
  #handles = 0;

  constructor(startMs = 1_800_000_000_000) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): TimerHandle {
    this.#handles += 1;
    this.#timers.set(this.#handles, { atMs: this.#nowMs + ms, run });
    return this.#handles;
  }

  cancel(handle: TimerHandle): void {
    this.#timers.delete(handle as number);
  }

  /** Timers that would still run. */
  get armed(): number {
    return this.#timers.size;
  }

  /** The program is gone, and with it what it would still have done. */
  forget(): void {
    this.#timers.clear();
  }

  /** Lets `ms` pass, timer by timer. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settlePromises();
    for (;;) {
      const next = this.#next(endMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settlePromises();
    }
    this.#nowMs = endMs;
  }

  /** The machine sleeps: time passes, nothing runs until it wakes. */
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.advance(0);
  }

  #next(endMs: number): { atMs: number; run: () => void } | undefined {
    let first: [number, { atMs: number; run: () => void }] | undefined;
    for (const entry of this.#timers)
      if (entry[1].atMs <= endMs && (first === undefined || entry[1].atMs < first[1].atMs)) first = entry;
    if (first === undefined) return undefined;
    this.#timers.delete(first[0]);
    return first[1];
  }
}

/** Enough turns of the microtask queue for any chain in the session. */
export async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}
