/**
 * A session without a server, for the tests and the look of the page: streams that a test feeds, calls that
 * a test answers. It keeps the promises of the real one that the page relies on: each offset once, in order,
 * from the reader's cursor; nothing after `unsubscribe`.
 */
import type { AppliedEvent, SessionState, SubscribeOptions, SubscriptionStatus } from "@holdfast/client";
import type { DurableCallOptions, DurableSession, SavedRequest } from "@holdfast/client/durable";
import type { ControlMethods } from "@holdfast/control/contract";
import type { Cursor } from "@holdfast/protocol";
import { makeThread } from "./sampleData.ts";

export const fakeEpoch = "epoch-1";
/** A frame of the real server is about this many small events. */
const eventsPerFrame = 50;

export interface FakeStream {
  snapshot: Readonly<Record<string, unknown>> | undefined;
  readonly log: AppliedEvent[];
}

export class FakeSession implements DurableSession<ControlMethods> {
  state: SessionState = { kind: "live" };
  statistics = {
    received: 0,
    applied: 0,
    duplicatesSuppressed: 0,
    gapsRepaired: 0,
    reconnects: 0,
    longestGapMs: 0,
    unknownMessages: 0,
    problems: 0,
  };
  user = { id: "user-1", name: "Ada", role: "admin", workspace: "default", temporary: false } as const;
  outbox = 0;
  saved: readonly SavedRequest[] = [];
  /** What became of a saved request of an earlier page. */
  outcomes: (ticket: string) => Promise<unknown> = () => new Promise(() => {});
  readonly withdrawn: string[] = [];
  clockOffset = 0;
  readonly calls: {
    readonly method: string;
    readonly params: unknown;
    readonly options: DurableCallOptions | undefined;
  }[] = [];
  answer: (method: string, params: never) => Promise<unknown> = () =>
    Promise.reject(new Error("no answer was prepared"));
  reconnects = 0;
  /** How often a reader began to read each stream, and from where. */
  readonly subscribed: { readonly stream: string; readonly from: SubscribeOptions["from"] }[] = [];
  private readonly streams = new Map<string, FakeStream>();
  private readonly readers = new Set<{ readonly stream: string; readonly options: SubscribeOptions; offset: number }>();
  private readonly listeners = new Set<() => void>();

  stream(name: string): FakeStream {
    const existing = this.streams.get(name);
    if (existing !== undefined) return existing;
    const made: FakeStream = { snapshot: undefined, log: [] };
    this.streams.set(name, made);
    return made;
  }

  /** Appends to a stream and delivers at once. */
  append(name: string, events: readonly { readonly event: string; readonly data: unknown }[], at = 1_000): void {
    const { log } = this.stream(name);
    for (const event of events) {
      const offset = log.length + 1;
      log.push({
        stream: name,
        offset,
        through: offset,
        at,
        event: event.event,
        data: event.data as Record<string, unknown>,
      });
    }
    for (const reader of this.readers) if (reader.stream === name) this.deliver(reader);
  }

  /** The server could not honour the readers' cursors: they begin anew as with `"latest"` (ST-3). */
  reset(name: string, reset: Parameters<NonNullable<SubscribeOptions["onReset"]>>[0]): void {
    const { log } = this.stream(name);
    const snapshot = this.snapshotOf(name);
    for (const reader of this.readers) {
      if (reader.stream !== name) continue;
      reader.options.onReset?.(reset);
      reader.offset = log.length;
      if (snapshot !== undefined) reader.options.onSnapshot?.(snapshot, positionOf(log.length, log.length));
    }
  }

  become(state: SessionState, change: { readonly outbox?: number } = {}): void {
    this.state = state;
    this.outbox = change.outbox ?? this.outbox;
    this.changed();
  }

  async token(): Promise<null> {
    return null;
  }
  onSignal(): () => void {
    return () => {};
  }
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  subscribe(stream: string, options: SubscribeOptions) {
    const { log } = this.stream(stream);
    const snapshot = this.snapshotOf(stream);
    this.subscribed.push({ stream, from: options.from });
    const reader = { stream, options, offset: startOf(options.from, log.length) };
    this.readers.add(reader);
    queueMicrotask(() => {
      if (!this.readers.has(reader)) return;
      if (options.from === "latest" && snapshot !== undefined) this.giveSnapshot(stream, snapshot);
      this.deliver(reader);
      options.onStatus?.({ kind: "live" });
    });
    const status: SubscriptionStatus = { kind: "live" };
    return { stream, status, cursor: undefined, unsubscribe: () => void this.readers.delete(reader) };
  }

  async call<Name extends keyof ControlMethods & string>(
    method: Name,
    params: ControlMethods[Name]["params"],
    options?: DurableCallOptions,
  ): Promise<ControlMethods[Name]["result"]> {
    this.calls.push({ method, params, options });
    options?.onTicket?.(`ticket of call ${this.calls.length}`);
    this.outbox += 1;
    this.changed();
    try {
      const aborted = new Promise<never>((_, reject) =>
        options?.signal?.addEventListener("abort", () => reject(options.signal?.reason)),
      );
      return (await Promise.race([this.answer(method, params as never), aborted])) as ControlMethods[Name]["result"];
    } finally {
      this.outbox -= 1;
      this.changed();
    }
  }

  outcome(ticket: string): Promise<unknown> {
    return this.outcomes(ticket);
  }
  withdraw(ticket: string): void {
    this.withdrawn.push(ticket);
  }
  producer(): never {
    throw new Error("a page publishes nothing");
  }
  acknowledge(): void {}
  signal(): void {}
  hint(): void {}
  reconnect(): void {
    this.reconnects += 1;
  }
  close(): Promise<void> {
    this.readers.clear();
    return Promise.resolve();
  }

  /** Where one wants it, all who read the stream take it (ST-2). */
  private giveSnapshot(name: string, snapshot: NonNullable<FakeStream["snapshot"]>): void {
    const { length } = this.stream(name).log;
    for (const reader of [...this.readers]) {
      if (reader.stream !== name || reader.options.onSnapshot === undefined) continue;
      reader.offset = length;
      reader.options.onSnapshot(snapshot, positionOf(length, length));
    }
  }

  /** As a test gave it; of a thread, else, what the server gives of a short log: all of it. */
  private snapshotOf(name: string): FakeStream["snapshot"] {
    const { snapshot, log } = this.stream(name);
    if (snapshot !== undefined || !name.startsWith("thread/")) return snapshot;
    const id = name.slice("thread/".length);
    const terminals = [{ terminal: id, cols: 80, rows: 24, earlier: false }];
    return { thread: makeThread({ id }), note: null, commands: [], messages: [], terminals, drawing: [...log] };
  }

  private deliver(reader: { readonly stream: string; readonly options: SubscribeOptions; offset: number }): void {
    const { log } = this.stream(reader.stream);
    while (this.readers.has(reader) && reader.offset < log.length) {
      const events = log.slice(reader.offset, reader.offset + eventsPerFrame);
      reader.offset += events.length;
      this.statistics = {
        ...this.statistics,
        received: this.statistics.received + events.length,
        applied: this.statistics.applied + events.length,
      };
      reader.options.onEvents(events, positionOf(reader.offset, log.length));
    }
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }
}

/** A send that an earlier page, or another tab, left waiting in thread-1. */
export function savedSend(ticket: string, text: string, isSent = false): SavedRequest {
  const params = { thread: "thread-1", text };
  return { ticket, method: "command.send", params, lane: "thread-1", savedAt: 1_000, isKept: true, isSent };
}

const positionOf = (offset: number, head: number): { cursor: Cursor; head: number } => ({
  cursor: { epoch: fakeEpoch, offset },
  head,
});

function startOf(from: SubscribeOptions["from"], head: number): number {
  if (from === "start") return 0;
  return from === "latest" ? head : from.offset;
}
