/** A session that a test plays by hand: it counts what the hooks do, and delivers what the test says. */
import type {
  AppliedEvent,
  HeardSignal,
  Session,
  SessionState,
  SubscribeOptions,
  SubscriptionStatus,
} from "@holdfast/client";
import type { From, ProtocolError } from "@holdfast/protocol";

interface Reader {
  readonly stream: string;
  readonly options: SubscribeOptions;
}

export class FakeSession {
  readonly readers = new Set<Reader>();
  /** Every `from` asked for, in order. */
  readonly asked: From[] = [];
  readonly calls: {
    readonly method: string;
    readonly params: unknown;
    readonly resolve: (value: unknown) => void;
    readonly reject: (error: ProtocolError) => void;
  }[] = [];
  readonly hearers = new Set<(heard: HeardSignal) => void>();
  readonly said: object[] = [];
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { kind: "connecting", attempt: 1 };
  readonly #statistics = {
    received: 0,
    applied: 0,
    duplicatesSuppressed: 0,
    gapsRepaired: 0,
    reconnects: 0,
    longestGapMs: 0,
    unknownMessages: 0,
    problems: 0,
  };

  readonly session = {
    current: (): SessionState => this.#state,
    onChange: (listener: () => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    subscribe: (stream: string, options: SubscribeOptions) => {
      const reader = { stream, options };
      this.readers.add(reader);
      this.asked.push(options.from);
      return {
        stream,
        status: { kind: "waiting" },
        cursor: undefined,
        unsubscribe: () => void this.readers.delete(reader),
      };
    },
    onSignal: (listener: (heard: HeardSignal) => void) => {
      this.hearers.add(listener);
      return () => this.hearers.delete(listener);
    },
    signal: (stream: string, signal: string, data: unknown) => void this.said.push({ stream, signal, data }),
    call: (method: string, params: unknown, options: { readonly onTicket?: (ticket: string) => void } = {}) =>
      new Promise((resolve, reject) => {
        this.calls.push({ method, params, resolve, reject });
        options.onTicket?.(`ticket-${this.calls.length}`);
      }),
    outbox: 0,
    user: undefined as { readonly id: string } | undefined,
    saved: [] as readonly object[],
    clockOffset: 0,
    statistics: this.#statistics,
  };

  asSession(): Session {
    Object.defineProperty(this.session, "state", { get: () => this.#state, configurable: true });
    return this.session as unknown as Session;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  changeState(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** What the session knows has changed. */
  change(next: { readonly user?: { readonly id: string }; readonly saved?: readonly object[] }): void {
    Object.assign(this.session, next);
    for (const listener of this.#listeners) listener();
  }

  /** One `events` message of events as given, each 1 s after the one before it. Returns what a handler threw. */
  tell(stream: string, first: number, ...told: { readonly event: string; readonly data: unknown }[]): unknown {
    const events: AppliedEvent[] = told.map(({ event, data }, index) => {
      const offset = first + index;
      return { event, at: offset * 1_000, data, stream, offset, through: offset };
    });
    const last = first + told.length - 1;
    return this.#each(stream, ({ onEvents }) => onEvents(events, { cursor: { epoch: "e", offset: last }, head: last }));
  }

  /** One `events` message. Returns what a handler threw. */
  deliver(stream: string, first: number, ...data: unknown[]): unknown {
    const events: AppliedEvent[] = data.map((item, index) => ({
      event: "item",
      at: 1,
      data: item,
      stream,
      offset: first + index,
      through: first + index,
    }));
    const last = first + data.length - 1;
    return this.#each(stream, ({ onEvents }) => onEvents(events, { cursor: { epoch: "e", offset: last }, head: last }));
  }

  snapshot(stream: string, offset: number, data: Record<string, unknown>): void {
    this.#each(stream, ({ onSnapshot }) => onSnapshot?.(data, { cursor: { epoch: "e", offset }, head: offset }));
  }

  reset(stream: string): void {
    this.#each(stream, ({ onReset }) => onReset?.({ reason: "epoch", lost: undefined }));
  }

  status(stream: string, status: SubscriptionStatus): void {
    this.#each(stream, ({ onStatus }) => onStatus?.(status));
  }

  #each(stream: string, run: (options: SubscribeOptions) => void): unknown {
    for (const reader of [...this.readers]) {
      if (reader.stream !== stream) continue;
      try {
        run(reader.options);
      } catch (error) {
        return error;
      }
    }
    return undefined;
  }
}
