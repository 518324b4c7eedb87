/**
 * Bytes on their way into a program, written without ever waiting for it.
 *
 * Why not the socket that reads: libuv writes to a pty's master as to a blocking file. A program that prints
 * queries and reads no answers fills the kernel's 4 KiB, and the next write would spin for ever, with the whole
 * agent in it. Here a full kernel (EAGAIN) is tried again later, and what waits is bounded.
 * Invariant: bytes go in once each, in order, or not at all.
 */
import { writeSync } from "node:fs";
import type { Clock } from "@holdfast/protocol";
import { inputBytesMax } from "./port.ts";

/** Between two tries while the program reads nothing, doubling to the maximum. */
const retryMs = 5;
const retryMsMax = 250;

export class InputQueue {
  private readonly descriptor: number;
  private readonly clock: Clock;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private timer: unknown;
  private delayMs = retryMs;
  private closed = false;

  /** `descriptor` must be non-blocking, as node-pty makes it. */
  constructor(descriptor: number, clock: Clock) {
    this.descriptor = descriptor;
    this.clock = clock;
  }

  /** False where more than {@link inputBytesMax} would wait: nothing of `bytes` was taken. */
  push(bytes: Uint8Array): boolean {
    if (this.closed || bytes.length === 0) return true;
    if (this.waitingBytes + bytes.length > inputBytesMax) return false;
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.timer === undefined) this.flush();
    return true;
  }

  /** Must be called before the descriptor is closed: its number may then be another file's. */
  close(): void {
    this.closed = true;
    this.waiting = [];
    this.clock.cancel(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const written = this.write(first);
      if (written === undefined) return;
      this.waitingBytes -= written;
      if (written < first.length) this.waiting[0] = first.subarray(written);
      else this.waiting.shift();
      this.delayMs = retryMs;
    }
  }

  /** How many bytes the kernel took; undefined where it takes none now, or never again. */
  private write(bytes: Uint8Array): number | undefined {
    try {
      return writeSync(this.descriptor, bytes);
    } catch (error) {
      // Anything but "full" means that the program's side is gone; its end is told by the reading side.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") this.close();
      else this.timer = this.clock.after(this.delayMs, () => this.flush());
      this.delayMs = Math.min(2 * this.delayMs, retryMsMax);
      return undefined;
    }
  }
}
