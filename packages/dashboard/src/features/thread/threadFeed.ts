/**
 * Reads one thread and hands it to two readers: the list of commands (a pure fold) and the terminal, which
 * takes drawing steps at its own pace.
 *
 *   session ──snapshot, events──► fold ──► state (React)
 *                           └───► steps ──queue──► take() (the painter)
 *
 * It begins with the snapshot, so that a long thread opens as fast as a short one; whoever wants to see what came
 * before it lets it begin with the log's first event (`drawAll`).
 * A terminal is slower than a socket. With more than {@link queueBytesMax} waiting, the feed lets go of the
 * stream and later reads on from its cursor: that is the protocol's own back-pressure, so memory is bounded
 * whatever the log's length, and nothing is dropped. Invariant: each offset reaches the fold and the queue
 * once, in order (I1). It deliberately knows no terminal and no React.
 */
import type { AppliedEvent, Session, Subscription, SubscriptionStatus } from "@holdfast/client";
import type { ControlMethods, DrawingEvent, ThreadSnapshot } from "@holdfast/control/contract";
import { streams, terminalOf } from "@holdfast/control/names";
import type { Cursor } from "@holdfast/protocol";
import { emptyThread, foldThread, type ThreadState, threadFromSnapshot } from "@holdfast/react/thread";
import { count } from "../../shared/format/count.ts";
import { type DrawContext, type DrawStep, drawStep, quiet } from "./terminal/drawStep.ts";

/** Waiting for the terminal: above the first the feed stops reading, below the second it reads on. */
export const queueBytesMax = 8 * 1024 * 1024;
export const queueBytesLow = 1024 * 1024;
/** What an event costs in the queue beside its bytes. */
const stepBytes = 64;

export interface FeedView {
  readonly state: ThreadState;
  readonly status: SubscriptionStatus;
  /** Events in the log after the last one folded. */
  readonly behind: number;
  /** True once the log's end as told at the first answer has been folded. */
  readonly loaded: boolean;
  /** There was output that is not drawn here. */
  readonly hasEarlier: boolean;
  /** Why the history is not what it was, once the server has told so. */
  readonly told: string | undefined;
  /** A stream that stopped on an event which could not be read, and what the person can do. */
  readonly trouble: { readonly error: unknown; retry(): void; skip(): void } | undefined;
}

const emptyView: FeedView = {
  state: emptyThread,
  status: { kind: "waiting" },
  behind: 0,
  loaded: false,
  hasEarlier: false,
  told: undefined,
  trouble: undefined,
};

export class ThreadFeed {
  private readonly session: Session<ControlMethods>;
  private readonly thread: string;
  private readonly interactive: boolean;
  private readonly draws: boolean;
  private subscription: Subscription | undefined;
  private cursor: Cursor | undefined;
  private queue: DrawStep[] = [];
  private queueBytes = 0;
  private paused = false;
  private closed = true;
  private incomplete = false;
  /** A painter has taken steps: the queue alone is no longer the whole thread. */
  private hasGiven = false;
  private beginning: "latest" | "start" = "latest";
  private current: FeedView = emptyView;
  private readonly viewListeners = new Set<() => void>();
  private stepListener: (() => void) | undefined;

  /** `draws`: false where nothing takes drawing steps, so that none may wait for it. */
  constructor(options: { session: Session<ControlMethods>; thread: string; interactive: boolean; draws?: boolean }) {
    this.session = options.session;
    this.thread = options.thread;
    this.interactive = options.interactive;
    this.draws = options.draws ?? true;
  }

  /** Stable until something changed: for `useSyncExternalStore`. */
  view = (): FeedView => this.current;

  onView = (listener: () => void): (() => void) => {
    this.viewListeners.add(listener);
    return () => this.viewListeners.delete(listener);
  };

  /** One painter: called whenever there may be something to take. A new screen gets all that this one got. */
  onSteps(listener: () => void): () => void {
    if (this.hasGiven) this.restart();
    this.stepListener = listener;
    listener();
    return () => {
      if (this.stepListener === listener) this.stepListener = undefined;
    };
  }

  open(): void {
    this.closed = false;
    this.subscribe();
  }

  /** Draws the whole log instead of its end, from the first event that is there. */
  drawAll(): void {
    this.beginning = "start";
    this.restart();
    // Its screen is still that of before.
    this.push({ kind: "clear", through: 0, ansi: "" });
    this.stepListener?.();
  }

  /** Forgets everything: a feed that is opened again reads anew, for a new screen. */
  close(): void {
    this.closed = true;
    this.subscription?.unsubscribe();
    this.subscription = undefined;
    this.cursor = undefined;
    this.queue = [];
    this.queueBytes = 0;
    this.paused = false;
    this.incomplete = false;
    this.hasGiven = false;
    this.show(emptyView);
  }

  /** The next steps, about `bytesMax` of output (at least one step where there is one). */
  take(bytesMax: number): readonly DrawStep[] {
    let bytes = 0;
    let steps = 0;
    while (steps < this.queue.length && (steps === 0 || bytes < bytesMax)) {
      bytes += costOf(this.queue[steps]);
      steps += 1;
    }
    const taken = this.queue.splice(0, steps);
    if (steps > 0) this.hasGiven = true;
    this.queueBytes -= bytes;
    if (this.paused && this.queueBytes <= queueBytesLow) this.readOn();
    return taken;
  }

  private restart(): void {
    const wasOpen = !this.closed;
    this.close();
    if (wasOpen) this.open();
  }

  private subscribe(): void {
    this.subscription = this.session.subscribe(streams.thread(this.thread), {
      from: this.cursor ?? this.beginning,
      onSnapshot: (data, position) => this.snapshot(data as unknown as ThreadSnapshot, position.cursor),
      onEvents: (events, position) => this.events(events, position),
      onReset: (reset) => this.reset(reset),
      onStatus: (status) => this.show({ status, ...(status.kind === "live" ? { loaded: true, behind: 0 } : {}) }),
      onError: (error, decide) => this.troubled(error, decide),
    });
  }

  private resubscribe(): void {
    this.subscription?.unsubscribe();
    this.subscribe();
  }

  private events(events: readonly AppliedEvent[], position: { readonly cursor: Cursor; readonly head: number }): void {
    if (this.closed || this.paused) return;
    let { state } = this.current;
    let incomplete = this.incomplete || (this.cursor === undefined && (events[0]?.offset ?? 1) > 1);
    const steps: DrawStep[] = [];
    for (const event of events) {
      state = foldThread(state, event);
      incomplete ||= event.event === "skipped";
      const drawn = this.drawn([event], state, incomplete);
      steps.push(...drawn.steps);
      incomplete = drawn.incomplete;
    }
    // Nothing is kept of a batch in which an event throws: the session gives it again, whole (ST-6).
    for (const step of steps) this.push(step);
    this.incomplete = incomplete;
    this.cursor = position.cursor;
    this.show({ state, behind: Math.max(0, position.head - position.cursor.offset) });
    this.stepListener?.();
    if (this.queueBytes > queueBytesMax) this.pause();
  }

  /** The state at one offset, in place of all that was read before. */
  private snapshot(data: ThreadSnapshot, cursor: Cursor): void {
    if (this.closed || this.paused) return;
    if (this.cursor?.epoch === cursor.epoch) {
      // Another view asked for it, and all readers get it (ST-2): what is drawn here stays, and goes on (F57).
      if (this.cursor.offset < cursor.offset) this.resubscribe();
      return;
    }
    const hasEarlier = data.terminals.some(({ earlier }) => earlier);
    const state = data.drawing.reduce(foldThread, threadFromSnapshot(data));
    const { steps, incomplete } = this.drawn(data.drawing, state, hasEarlier);
    const { told } = this.current;
    this.queue = [];
    this.queueBytes = 0;
    if (this.hasGiven || told !== undefined)
      this.push({ kind: "clear", through: 0, ansi: told === undefined ? "" : quiet(`· ${told}`) });
    for (const step of steps) this.push(step);
    if ((steps.at(-1)?.through ?? 0) < cursor.offset) this.push({ kind: "nothing", through: cursor.offset });
    this.incomplete = incomplete;
    this.cursor = cursor;
    this.show({ state, hasEarlier, behind: 0 });
    this.stepListener?.();
  }

  private drawn(
    events: readonly DrawingEvent[],
    state: ThreadState,
    isIncomplete: boolean,
  ): { readonly steps: readonly DrawStep[]; readonly incomplete: boolean } {
    let incomplete = isIncomplete;
    const steps = events.map((event) => {
      const step = drawStep(event, this.context(state, incomplete));
      // From a screen on, nothing is missing any more.
      if (step.kind === "screen") incomplete = false;
      return step;
    });
    return { steps, incomplete };
  }

  private context(state: ThreadState, incomplete: boolean): DrawContext {
    return {
      terminal: terminalOf(this.thread),
      interactive: this.interactive,
      incomplete,
      textOf: (id) => state.commands.findLast((command) => command.id === id)?.text,
    };
  }

  private reset(reset: { readonly reason: "epoch" | "trimmed"; readonly lost: number | undefined }): void {
    const lost = reset.lost === undefined ? "" : `; ${count(reset.lost, "event")} before this are gone`;
    const told =
      reset.reason === "epoch"
        ? `this thread's history was restored or rewritten${lost}`
        : `older history was removed${lost}`;
    this.queue = [];
    this.queueBytes = 0;
    this.incomplete = true;
    this.cursor = undefined;
    this.push({ kind: "clear", through: 0, ansi: quiet(`· ${told}`) });
    this.show({ state: emptyThread, told });
    this.stepListener?.();
  }

  private troubled(error: unknown, decide: { retry(): void; skip(): void }): void {
    const settle = (how: () => void) => () => {
      this.show({ trouble: undefined });
      how();
    };
    this.show({ trouble: { error, retry: settle(() => decide.retry()), skip: settle(() => decide.skip()) } });
  }

  private push(step: DrawStep): void {
    if (!this.draws) return;
    this.queue.push(step);
    this.queueBytes += costOf(step);
  }

  private pause(): void {
    this.paused = true;
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }

  private readOn(): void {
    this.paused = false;
    if (!this.closed) this.subscribe();
  }

  private show(change: Partial<FeedView>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.viewListeners) listener();
  }
}

function costOf(step: DrawStep | undefined): number {
  if (step === undefined) return 0;
  return stepBytes + (step.kind === "output" || step.kind === "screen" ? step.bytes.length : 0);
}
