/**
 * A small server of its own mind: it speaks PROTOCOL.md from the server's side, shares no code with the
 * client, and keeps what a test wants to look at. Streams are arrays, stored answers a map, producers a
 * number each. Faults are the test's: `verdict`, `answer`, `mangle`, `cut`, `storeDown`.
 */

import type {
  ClientMessage,
  ClientSocket,
  ClientSocketEvents,
  Clock,
  ErrorBody,
  From,
  Hello,
  Publish,
  Request,
  Transport,
} from "@holdfast/protocol";
import { clientMessages } from "@holdfast/protocol/schema";

export type Verdict =
  | { readonly kind: "welcome" }
  | {
      readonly kind: "bye";
      readonly code: number;
      readonly reason?: string;
      readonly retryAfter?: number;
      readonly slot?: string;
    }
  | { readonly kind: "silent" }
  | { readonly kind: "refuseUpgrade" };

export interface ModelEvent {
  readonly event: string;
  readonly data: unknown;
}

interface ModelStream {
  epoch: string;
  readonly events: ModelEvent[];
  snapshotParts: Record<string, unknown>[] | undefined;
}

export interface Connection {
  readonly number: number;
  readonly openedMs: number;
  readonly events: ClientSocketEvents;
  alive: boolean;
  hello: Hello | undefined;
  readonly received: ClientMessage[];
  /** What the client closed with. */
  closedWith: number | undefined;
  readonly subscriptions: Map<string, { sub: number; sent: number }>;
}

export const error = (code: ErrorBody["code"], retryable: boolean, extras: Partial<ErrorBody> = {}): ErrorBody => ({
  code,
  message: code,
  retryable,
  ...extras,
});

export class ModelServer implements Transport {
  readonly connections: Connection[] = [];
  readonly streams = new Map<string, ModelStream>();
  /** Request ids in the order in which their effect happened. */
  readonly effects: Request[] = [];
  readonly answers = new Map<string, { result?: unknown; error?: ErrorBody }>();
  readonly records = new Map<string, { sequence: number; rejected: { sequence: number; error: ErrorBody }[] }>();
  readonly published = new Map<string, ModelEvent[]>();
  /** So many publishes are durable and answered as if they were not (an unknown commit). */
  answersLost = 0;
  /** What a publish that could not be taken is told. */
  retryAfterMs = 500;
  readonly acknowledged: unknown[] = [];
  latencyMs = 5;
  spreadMs = 0;
  storeDown = false;
  user = "ann";
  verdict: (hello: Hello, connection: Connection) => Verdict = () => ({ kind: "welcome" });
  /** An error instead of an effect. */
  answer: (request: Request) => ErrorBody | undefined = () => undefined;
  /** What becomes of one `events` message. */
  mangle: (message: Record<string, unknown>) => Record<string, unknown>[] = (message) => [message];
  welcomeExtras: Record<string, unknown> = {};
  pong = true;

  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get living(): Connection[] {
    return this.connections.filter((connection) => connection.alive);
  }

  get last(): Connection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("no connection yet");
    return connection;
  }

  open(_url: string, _protocols: readonly string[], events: ClientSocketEvents): ClientSocket {
    const connection: Connection = {
      number: this.connections.length + 1,
      openedMs: this.#clock.monotonic(),
      events,
      alive: true,
      hello: undefined,
      received: [],
      closedWith: undefined,
      subscriptions: new Map(),
    };
    this.connections.push(connection);
    this.#later(() => {
      if (!connection.alive) return;
      if (this.refusesUpgrade) this.close(connection, 1006, "");
      else events.opened();
    });
    return {
      send: (frame) =>
        this.#later(() => connection.alive && this.#receive(connection, JSON.parse(frame) as ClientMessage[])),
      close: (code) => {
        connection.closedWith = code;
        this.#later(() => this.close(connection, code, ""));
      },
    };
  }
  refusesUpgrade = false;
  /** ST-3: retention removed the events up to here, of every stream. */
  trimmedThrough = 0;
  /** AU-7: what `auth` is answered. */
  authAnswer: (token: string | undefined) => object = () => ({ type: "authenticated" });
  /** What HTTP answers, and what was asked of it. A rejection: no answer. */
  http: (asked: string) => Promise<{ status: number; body: unknown }> = async () => ({
    status: 200,
    body: { user: { id: "ada" }, mode: "local" },
  });
  readonly asked: string[] = [];

  /** Ends one connection, as the network or the server does. */
  close(connection: Connection, code: number, reason: string): void {
    if (!connection.alive) return;
    connection.alive = false;
    connection.events.closed(code, reason);
  }

  /** The network is gone for everybody. */
  cut(): void {
    for (const connection of this.living) this.close(connection, 1006, "");
  }

  send(connection: Connection, ...messages: unknown[]): void {
    this.#later(() => connection.alive && connection.events.received(JSON.stringify(messages)));
  }

  stream(name: string): ModelStream {
    const known = this.streams.get(name);
    if (known !== undefined) return known;
    const fresh: ModelStream = { epoch: `epoch ${this.streams.size}`, events: [], snapshotParts: undefined };
    this.streams.set(name, fresh);
    return fresh;
  }

  append(name: string, ...data: unknown[]): void {
    const stream = this.stream(name);
    for (const item of data) stream.events.push({ event: "item", data: item });
    for (const connection of this.living) this.#feed(connection, name);
  }

  #later(run: () => void): void {
    this.#clock.after(this.latencyMs, run);
  }

  #receive(connection: Connection, messages: ClientMessage[]): void {
    for (const message of messages) {
      connection.received.push(message);
      // The one thing shared with the real server: what a well-formed message is.
      clientMessages[message.type].parse(message);
      if (connection.alive) this.#judge(connection, message);
    }
  }

  #judge(connection: Connection, message: ClientMessage): void {
    switch (message.type) {
      case "hello":
        this.#hello(connection, message);
        return;
      case "subscribe":
        this.#subscribe(connection, message);
        return;
      case "unsubscribe":
        connection.subscriptions.delete(message.stream);
        return;
      case "request":
        this.#request(connection, message);
        return;
      case "publish":
        this.#publish(connection, message);
        return;
      case "ping":
        if (this.pong) this.send(connection, { type: "pong", n: message.n });
        return;
      case "auth":
        this.send(connection, this.authAnswer(message.token));
        return;
      case "ack":
        this.acknowledged.push(message);
        return;
      case "leave":
        this.close(connection, 1000, "");
        return;
    }
  }

  #hello(connection: Connection, hello: Hello): void {
    connection.hello = hello;
    const verdict = this.verdict(hello, connection);
    if (verdict.kind === "silent") return;
    if (verdict.kind === "bye") {
      const { code, reason = "refused", retryAfter, slot } = verdict;
      this.send(connection, { type: "bye", code, reason, reconnect: true, retryAfter, slot });
      this.#later(() => this.close(connection, code, reason));
      return;
    }
    this.send(connection, {
      type: "welcome",
      connection: `c${connection.number}`,
      node: "n1",
      now: Math.round(this.#clock.now()),
      user: { id: this.user, name: this.user, role: "operator", workspace: "w", temporary: false },
      heartbeat: { interval: 20_000, timeout: 10_000 },
      spread: this.spreadMs,
      limits: {
        frameBytes: 1_048_576,
        eventBytes: 131_072,
        requests: 64,
        publishBytes: 1_048_576,
        subscriptions: 1_000,
      },
      features: {},
      ...this.welcomeExtras,
    });
    for (const item of hello.subscribe ?? []) this.#subscribe(connection, item);
  }

  #subscribe(connection: Connection, { stream: name, sub, from }: { stream: string; sub: number; from: From }): void {
    if (this.storeDown) {
      this.send(connection, { type: "pending", stream: name, sub, reason: "store_unavailable" });
      return;
    }
    const stream = this.stream(name);
    const head = stream.events.length;
    const isOfNow = typeof from === "string" || (from.epoch === stream.epoch && from.offset <= head);
    const honoured = isOfNow && (typeof from === "string" || from.offset >= this.trimmedThrough);
    const latest = from === "latest" || !honoured;
    const offset = latest ? head : from === "start" ? 0 : from.offset;
    const parts = latest ? stream.snapshotParts : undefined;
    this.send(
      connection,
      {
        type: "subscribed",
        stream: name,
        sub,
        epoch: stream.epoch,
        offset,
        head,
        reset: honoured ? undefined : isOfNow ? "trimmed" : "epoch",
        snapshot: parts?.length,
      },
      ...(parts ?? []).map((data, index) => ({ type: "snapshot", stream: name, sub, part: index + 1, data })),
    );
    connection.subscriptions.set(name, { sub, sent: offset });
    this.#feed(connection, name);
  }

  #feed(connection: Connection, name: string): void {
    const subscription = connection.subscriptions.get(name);
    const stream = this.stream(name);
    const head = stream.events.length;
    if (subscription === undefined || subscription.sent >= head) return;
    const events = stream.events
      .slice(subscription.sent)
      .map((event) => ({ ...event, at: Math.round(this.#clock.now()) }));
    const message = { type: "events", stream: name, offset: subscription.sent + 1, head, events };
    subscription.sent = head;
    this.send(connection, ...this.mangle(message));
  }

  #request(connection: Connection, request: Request): void {
    const { id } = request;
    const stored = this.answers.get(id);
    if (stored !== undefined) {
      this.send(connection, { type: "response", id, ...stored });
      return;
    }
    if (request.after !== undefined) {
      const before = this.answers.get(request.after);
      if (before === undefined) {
        this.send(connection, {
          type: "response",
          id,
          error: error("conflict", true, { details: { reason: "after" } }),
        });
        return;
      }
      if (before.error !== undefined) {
        this.#store(connection, id, {
          error: error("conflict", false, { details: { reason: "after_failed" } }),
        });
        return;
      }
    }
    const refusal = this.answer(request);
    if (refusal !== undefined) {
      if (refusal.retryable || refusal.code === "forbidden") {
        this.send(connection, { type: "response", id, error: refusal });
        return;
      }
      this.#store(connection, id, { error: refusal });
      return;
    }
    this.effects.push(request);
    this.#store(connection, id, { result: { done: request.params } });
  }

  #store(connection: Connection, id: string, answer: { result?: unknown; error?: ErrorBody }): void {
    this.answers.set(id, answer);
    this.send(connection, { type: "response", id, ...answer });
  }

  #publish(connection: Connection, { stream, producer, sequence, events }: Publish): void {
    const key = `${stream} ${producer}`;
    const record = this.records.get(key) ?? { sequence: 0, rejected: [] };
    const refuse = (body: ErrorBody): void =>
      this.send(connection, { type: "refused", of: "publish", stream, producer, sequence, error: body });
    if (this.storeDown) {
      refuse(error("store_unavailable", true, { retryAfter: this.retryAfterMs }));
      return;
    }
    if (events.length > 0 && sequence > record.sequence + 1) {
      refuse(error("sequence_gap", true, { details: { expected: record.sequence + 1 } }));
      return;
    }
    const log = this.published.get(stream) ?? [];
    this.published.set(stream, log);
    events.forEach((event, index) => {
      if (sequence + index <= record.sequence) return;
      const item = event as ModelEvent;
      record.sequence = sequence + index;
      if ((item.data as { poison?: true } | null)?.poison)
        record.rejected.push({ sequence: record.sequence, error: error("invalid_params", false) });
      else log.push(item);
    });
    this.records.set(key, record);
    if (this.answersLost > 0) {
      this.answersLost -= 1;
      refuse(error("store_unavailable", true, { retryAfter: this.retryAfterMs }));
      return;
    }
    const rejected = record.rejected.filter((rejection) => rejection.sequence >= sequence);
    this.send(connection, {
      type: "published",
      stream,
      producer,
      sequence: record.sequence,
      ...(rejected.length > 0 ? { rejected } : {}),
    });
  }
}
