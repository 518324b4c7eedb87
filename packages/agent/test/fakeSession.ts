/**
 * The client's public face with a scripted server behind it: what an agent published, acknowledged and said,
 * and a switch for everything that a real server may do to it.
 */
import type { AppliedEvent, SessionState, SubscribeOptions, Subscription } from "@holdfast/client";
import type { Producer, PublisherSession, PublisherSessionOptions } from "@holdfast/client/publisher";
import type { InboxEventData } from "@holdfast/control/contract";
import { type Cursor, type HelloAgent, ProtocolError, type PublishedEvent } from "@holdfast/protocol";

export interface Logged {
  readonly stream: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly keyframe: string | undefined;
}

export class FakeServer {
  readonly log: Logged[] = [];
  readonly hellos: HelloAgent[] = [];
  readonly acknowledged: Cursor[] = [];
  readonly order: string[] = [];
  left = false;
  /** Says no to an event; by default to nothing. */
  decide: (event: PublishedEvent) => ProtocolError | null = () => null;
  /** Answers what the agent asks; by default it asks nothing. */
  answer: (method: string, params: unknown) => Promise<unknown> = () =>
    Promise.reject(new Error("an agent calls nothing"));
  readonly signals: { readonly stream: string; readonly signal: string; readonly data: unknown }[] = [];
  private offline: (() => void)[] | undefined;
  private accepting = true;
  private readonly drains = new Set<() => void>();
  private readonly watchers = new Set<() => void>();
  private readonly changes = new Set<() => void>();
  private state: SessionState = { kind: "live" };
  private options: PublisherSessionOptions | undefined;
  private inbox: { readonly stream: string; readonly options: SubscribeOptions } | undefined;
  private offset = 0;
  private readonly epoch = "epoch-1";

  readonly createSession = (options: PublisherSessionOptions): PublisherSession => {
    this.options = options;
    const server = this;
    return {
      get state() {
        return server.state;
      },
      statistics: {
        received: 0,
        applied: 0,
        duplicatesSuppressed: 0,
        gapsRepaired: 0,
        reconnects: 0,
        longestGapMs: 0,
        unknownMessages: 0,
        problems: 0,
      },
      user: undefined,
      agent: undefined,
      outbox: 0,
      clockOffset: 0,
      onSignal: () => () => {},
      onChange: (listener) => {
        this.changes.add(listener);
        return () => void this.changes.delete(listener);
      },
      subscribe: (stream, subscribeOptions) => this.subscribe(stream, subscribeOptions),
      call: (method, params) => this.answer(method, params) as Promise<never>,
      producer: (stream) => this.producer(stream),
      acknowledge: (_stream, cursor) => {
        this.acknowledged.push(cursor);
        this.order.push(`acknowledged ${cursor.offset}`);
        this.changed();
      },
      signal: (stream, signal, data) => void this.signals.push({ stream, signal, data }),
      token: () => Promise.resolve(null),
      reconnect: () => {},
      hint: () => {},
      close: async () => {
        this.left = true;
      },
    };
  };

  /** A connection opens: the agent says hello and hears who it is. */
  welcome(id = "agent-1", generation = 1): HelloAgent {
    const hello = this.options?.agent?.();
    if (hello === undefined || this.options === undefined) throw new Error("no session was made for an agent");
    this.hellos.push(hello);
    this.options.onAgent?.({ id, name: hello.name, generation });
    return hello;
  }

  /** Resolves once the agent obeys its inbox. */
  async obeyed(): Promise<Cursor | "start"> {
    await this.until(() => this.inbox !== undefined);
    return this.inbox?.options.from as Cursor | "start";
  }

  send<Name extends keyof InboxEventData>(...orders: { event: Name; data: InboxEventData[Name] }[]): void {
    if (this.inbox === undefined) throw new Error("the agent does not obey its inbox yet");
    const { stream, options } = this.inbox;
    const events = orders.map(({ event, data }): AppliedEvent => {
      this.offset += 1;
      return { event, data, at: 0, stream, offset: this.offset, through: this.offset };
    });
    options.onEvents(events, { cursor: { epoch: this.epoch, offset: this.offset }, head: this.offset });
  }

  dispatch(command: string, text: string, thread = "thread-1"): void {
    this.send({ event: "command.dispatched", data: { command, thread, text, request: null } });
  }

  stop(reason: string): void {
    this.state = { kind: "stopped", reason };
    for (const listener of [...this.changes]) listener();
  }

  /** From here on nothing is decided until {@link returns}. */
  goAway(): void {
    this.offline ??= [];
  }

  returns(): void {
    const undecided = this.offline ?? [];
    this.offline = undefined;
    for (const decide of undecided) decide();
  }

  setAccepting(accepting: boolean): void {
    this.accepting = accepting;
    if (accepting) for (const listener of [...this.drains]) listener();
  }

  of(event: string, stream?: string): Logged[] {
    return this.log.filter((entry) => entry.event === event && (stream === undefined || entry.stream === stream));
  }

  /** The terminal's bytes as published, joined. */
  output(stream = "thread/thread-1"): Buffer {
    return Buffer.concat(
      this.of("terminal.output", stream).map(({ data }) => Buffer.from(String(data["data"]), "base64")),
    );
  }

  until(predicate: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!predicate()) return;
        this.watchers.delete(check);
        resolve();
      };
      this.watchers.add(check);
      check();
    });
  }

  async finished(command: string): Promise<Readonly<Record<string, unknown>>> {
    const find = (): Logged | undefined => this.of("command.finished").find(({ data }) => data["command"] === command);
    await this.until(() => find() !== undefined);
    return find()?.data ?? {};
  }

  private subscribe(stream: string, options: SubscribeOptions): Subscription {
    this.inbox = { stream, options };
    this.changed();
    return { stream, status: { kind: "live" }, cursor: undefined, unsubscribe: () => {} };
  }

  private producer(stream: string): Producer {
    const server = this;
    return {
      stream,
      pendingBytes: 0,
      get accepting() {
        return server.accepting;
      },
      publish: (event) => this.publish(stream, event),
      onDrain: (listener) => {
        this.drains.add(listener);
        return () => void this.drains.delete(listener);
      },
      close: () => {},
    };
  }

  private publish(stream: string, event: PublishedEvent): Promise<ProtocolError | null> {
    return new Promise((resolve) => {
      const decide = (): void => {
        const error = this.decide(event);
        if (error === null) {
          const data = event.data as Readonly<Record<string, unknown>>;
          this.log.push({ stream, event: event.event, data, keyframe: event.keyframe });
          this.order.push(event.event);
        }
        resolve(error);
        this.changed();
      };
      if (this.offline === undefined) queueMicrotask(decide);
      else this.offline.push(decide);
    });
  }

  private changed(): void {
    for (const check of [...this.watchers]) check();
  }
}

export const conflict = (message: string): ProtocolError => new ProtocolError("conflict", message);
