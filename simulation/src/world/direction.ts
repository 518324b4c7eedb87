/**
 * One direction of one TCP connection: in order, late, at a rate, and sometimes not at all.
 *
 * What is sent departs when what was sent before has, and arrives a latency later, never before what it follows.
 * A direction that is shut (a black hole, a reader that does not read) keeps what arrives, as TCP does by sending
 * again, and hands it over in order once it opens. What was sent and not yet taken fills the sender's buffers; what
 * does not fit them is unsent. Invariant: nothing overtakes, nothing is lost while the connection lives, nothing of
 * a dead one is heard.
 */
import type { Dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";

/** What a path is like now; faults change it in place, for connections that are and that come. */
export interface Quality {
  latencyMs: number;
  /** Mean of what is added to it. */
  jitterMs: number;
  /** Infinity: as fast as one likes. */
  bytesPerMs: number;
  isShut: boolean;
}

/** Buffers of both kernels together: what is sent within them is off the sender's mind. */
const buffersBytes = 64 * 1024;

interface Item {
  readonly bytes: number;
  readonly deliver: () => void;
}

export class Direction {
  private readonly scheduler: Scheduler;
  private readonly receiver: Process;
  private readonly quality: Quality;
  private readonly dice: Dice;
  /** Hears that everything unsent is sent. */
  private readonly drained: () => void;
  private readonly kept: Item[] = [];
  private sentBytes = 0;
  private freeAt = 0;
  private lastArrival = 0;
  private paused = false;
  private ended = false;
  private wasFull = false;

  constructor(scheduler: Scheduler, receiver: Process, quality: Quality, dice: Dice, drained: () => void) {
    this.scheduler = scheduler;
    this.receiver = receiver;
    this.quality = quality;
    this.dice = dice;
    this.drained = drained;
  }

  get unsentBytes(): number {
    return Math.max(0, this.sentBytes - buffersBytes);
  }

  /** Sent and not taken. */
  get underWayBytes(): number {
    return this.sentBytes;
  }

  send(bytes: number, deliver: () => void): void {
    if (this.ended) return;
    const { latencyMs, jitterMs, bytesPerMs } = this.quality;
    const { now } = this.scheduler;
    this.sentBytes += bytes;
    if (this.unsentBytes > 0) this.wasFull = true;
    this.freeAt = Math.max(now, this.freeAt) + bytes / bytesPerMs;
    const latency = latencyMs + (jitterMs > 0 ? this.dice.exponentialMs(jitterMs) : 0);
    this.lastArrival = Math.max(this.lastArrival, Math.ceil(this.freeAt) + latency);
    const item = { bytes, deliver };
    this.receiver.arrive(this.lastArrival, () => this.reach(item));
  }

  /** The receiver reads no more, until it resumes. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.release();
  }

  /** Hands over what was kept, if nothing keeps it any more. */
  release(): void {
    for (const item of this.kept.splice(0)) this.receiver.arrive(this.scheduler.now, () => this.reach(item));
  }

  end(): void {
    this.ended = true;
    this.kept.length = 0;
  }

  private reach(item: Item): void {
    if (this.ended) return;
    if (this.quality.isShut || this.paused || this.kept.length > 0) {
      this.kept.push(item);
      return;
    }
    this.sentBytes -= item.bytes;
    item.deliver();
    if (!this.wasFull || this.unsentBytes > 0 || this.ended) return;
    this.wasFull = false;
    this.drained();
  }
}
