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
    call: (method: string) =>
      new Promise((resolve, reject) => {
        this.calls.push({ method, resolve, reject });
      }),
    outbox: 0,
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
