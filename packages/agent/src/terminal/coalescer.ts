/**
 * Gathers a terminal's bytes into events: few enough for the log, soon enough for the eye.
 *
 * The first bytes after a pause go at once (an echo must not wait), what follows within 16 ms goes together,
 * and 32 KiB go as soon as they are full. Pure: time is passed in, the caller arms one timer for `dueAt`.
 * Invariant: joined, what comes out is what went in. It deliberately knows no encoding and no stream.
 */
import { assert } from "@holdfast/protocol";

/** How long bytes wait for others. */
export const coalesceMsMax = 16;
/** The most bytes of one event; in base64 44 KiB, well under an event's limit. */
export const coalesceBytesMax = 32 * 1024;

export class Coalescer {
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private sentAt = Number.NEGATIVE_INFINITY;

  /** When what is held should be taken, on the monotonic clock; undefined while nothing is. */
  get dueAt(): number | undefined {
    return this.heldBytes === 0 ? undefined : this.sentAt + coalesceMsMax;
  }

  /** Adds `bytes` and returns what is ready, in order. */
  push(bytes: Uint8Array, now: number): Uint8Array[] {
    if (bytes.length > 0) {
      this.held.push(bytes);
      this.heldBytes += bytes.length;
    }
    const ready: Uint8Array[] = [];
    if (this.heldBytes >= coalesceBytesMax) {
      const all = this.join();
      const whole = all.length - (all.length % coalesceBytesMax);
      for (let start = 0; start < whole; start += coalesceBytesMax)
        ready.push(all.subarray(start, start + coalesceBytesMax));
      this.held = whole < all.length ? [all.subarray(whole)] : [];
      this.heldBytes = all.length - whole;
      this.sentAt = now;
    }
    const due = this.dueAt;
    if (due !== undefined && now >= due) ready.push(...this.take(now));
    return ready;
  }

  /** Everything that is held, due or not: one piece or none. */
  take(now: number): Uint8Array[] {
    if (this.heldBytes === 0) return [];
    assert(this.heldBytes < coalesceBytesMax, `the coalescer holds ${this.heldBytes} bytes, more than an event takes`);
    const all = this.join();
    this.held = [];
    this.heldBytes = 0;
    this.sentAt = now;
    return [all];
  }

  private join(): Uint8Array {
    const [first] = this.held;
    if (first !== undefined && this.held.length === 1) return first;
    const all = new Uint8Array(this.heldBytes);
    let at = 0;
    for (const part of this.held) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
