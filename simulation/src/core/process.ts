/**
 * A simulated process: a clock of its own, and everything that runs in it until it is killed.
 *
 * Life: started → (stopped and continued: SIGSTOP, a laptop's sleep) → killed, after which nothing of it runs, ever:
 * timers, arrivals and answers are dropped. Time has two faces, as on a machine: the wall clock may be wrong and
 * jump, the monotonic one never jumps, and may or may not count a sleep. Hidden pages have throttled timers.
 * Invariant: code in a process reaches the world only through its ports, all of which ask `isAlive`.
 */
import type { Clock } from "@holdfast/protocol";
import type { Lane, Planned, Scheduler } from "./scheduler.ts";

/** The wall clock's start: any day will do. */
const epochMs = 1_800_000_000_000;

export class Process {
  readonly name: string;
  readonly clock: Clock;
  private readonly scheduler: Scheduler;
  private readonly timerLane: Lane;
  private readonly arrivalLane: Lane;
  private readonly timers = new Set<Timer>();
  private readonly endings: (() => void)[] = [];
  private stoppedUntil = 0;
  private waking: Planned = unplanned;
  /** What came while it was stopped, in order. */
  private deferred: { readonly lane: Lane; readonly run: () => void }[] = [];
  /** When it last stopped, or began to be slow. */
  stoppedAt = Number.NEGATIVE_INFINITY;
  /** Virtual ms that the monotonic clock did not count. */
  private uncountedMs = 0;
  private wakeNow = (): void => {};
  private alive = true;
  /** Wall clock minus true time, ms. */
  skewMs: number;
  private slotMs = 1;

  constructor(scheduler: Scheduler, name: string, skewMs = 0) {
    this.scheduler = scheduler;
    this.name = name;
    this.skewMs = skewMs;
    this.timerLane = scheduler.lane(`${name} timers`);
    this.arrivalLane = scheduler.lane(`${name} arrivals`);
    this.clock = {
      now: () => epochMs + scheduler.now + this.skewMs,
      monotonic: () => this.monotonic,
      after: (ms, run) => this.arm(ms, run),
      cancel: (handle) => this.cancel(handle as Timer | undefined),
    };
  }

  /** Timers run at multiples of this only; 1: as armed. */
  get throttleMs(): number {
    return this.slotMs;
  }

  /** A page that is shown again runs at once what was held up. */
  set throttleMs(ms: number) {
    const isFreed = ms < this.slotMs;
    this.slotMs = ms;
    if (!isFreed) return;
    for (const timer of this.timers) {
      this.scheduler.cancel(timer.planned);
      this.plan(timer, this.scheduler.now + timer.due - this.monotonic);
    }
  }

  get isAlive(): boolean {
    return this.alive;
  }

  get isStopped(): boolean {
    return this.scheduler.now < this.stoppedUntil;
  }

  /** Timers that would still run. */
  get armed(): number {
    return this.timers.size;
  }

  private get monotonic(): number {
    return this.scheduler.now - this.uncountedMs;
  }

  /** Something from outside reaches this process at `at`: data, an answer. Later where it is stopped then. */
  arrive(at: number, run: () => void): void {
    this.scheduler.at(this.arrivalLane, at, () => {
      if (!this.alive) return;
      if (this.isStopped) this.defer(this.arrivalLane, () => this.arrive(this.scheduler.now, run));
      else run();
    });
  }

  /** It runs nothing for `ms`; `isCounted`: its monotonic clock goes on meanwhile. */
  stop(ms: number, isCounted: boolean): void {
    if (!this.alive || this.isStopped) return;
    const began = this.scheduler.now;
    this.stoppedUntil = began + ms;
    this.stoppedAt = this.stoppedUntil;
    this.waking = this.scheduler.at(this.timerLane, this.stoppedUntil, () => this.wake(began, isCounted));
    this.wakeNow = () => this.wake(began, isCounted);
  }

  /** Whatever stopped it ends now. */
  continue(): void {
    if (!this.isStopped) return;
    this.scheduler.cancel(this.waking);
    this.stoppedUntil = this.scheduler.now;
    this.wakeNow();
  }

  /** It is gone at once, in the middle of whatever it does. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const timer of this.timers) this.scheduler.cancel(timer.planned);
    this.timers.clear();
    for (const ending of this.endings.splice(0)) ending();
  }

  /** Called once, when it is killed: what the machine does for it then. */
  onEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  private wake(began: number, isCounted: boolean): void {
    if (!isCounted) this.uncountedMs += this.scheduler.now - began;
    // Timers and arrivals each in their order; between them it is open.
    for (const { lane, run } of this.deferred.splice(0)) this.scheduler.at(lane, this.scheduler.now, run);
  }

  private defer(lane: Lane, run: () => void): void {
    this.deferred.push({ lane, run });
  }

  private arm(ms: number, run: () => void): Timer | undefined {
    if (!this.alive) return undefined;
    const timer: Timer = { due: this.monotonic + Math.max(0, ms), run, planned: unplanned };
    this.timers.add(timer);
    this.plan(timer, this.scheduler.now + Math.max(0, ms));
    return timer;
  }

  private plan(timer: Timer, at: number): void {
    timer.planned = this.scheduler.at(this.timerLane, at, () => {
      if (!this.timers.has(timer)) return;
      if (this.isStopped) this.defer(this.timerLane, () => this.plan(timer, this.scheduler.now));
      else if (timer.due > this.monotonic) this.plan(timer, this.scheduler.now + timer.due - this.monotonic);
      else if (this.scheduler.now % this.throttleMs !== 0) this.plan(timer, this.nextSlot());
      else {
        this.timers.delete(timer);
        timer.run();
      }
    });
  }

  private nextSlot(): number {
    return Math.ceil(this.scheduler.now / this.throttleMs) * this.throttleMs;
  }

  private cancel(timer: Timer | undefined): void {
    if (timer === undefined || !this.timers.delete(timer)) return;
    this.scheduler.cancel(timer.planned);
  }
}

interface Timer {
  /** On the monotonic clock. */
  readonly due: number;
  readonly run: () => void;
  planned: Planned;
}

const unplanned: Planned = { at: 0, tie: 0, order: 0, run: () => {}, cancelled: true };
