/**
 * Obeys `inbox/<agent>`: store, acknowledge, act (OP-8).
 *
 * Life of an event: received → waiting → its cursor on the disk, one write for all that wait → acknowledged →
 * handed out, in order. A crash before the write delivers it again; a crash after it loses at most its effect,
 * which the claim (PB-5) and the server's comparison at `hello` tell apart.
 * Invariant: nothing is handed out whose cursor is not durable. It deliberately knows no command.
 */

import type { AppliedEvent, Subscription } from "@holdfast/client";
import type { PublisherSession } from "@holdfast/client/publisher";
import type { InboxEventData } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import type { Clock, Cursor } from "@holdfast/protocol";
import type { AgentLog } from "./log.ts";
import type { StateFolder } from "./state/folder.ts";

/** Events received and not yet acted upon; above it the stream stops until they are. */
export const inboxWaitingMax = 10_000;
/** How long to wait after a failed write (a full disk), doubling to the maximum. */
const storeRetryMs = 1_000;
const storeRetryMsMax = 30_000;

/** One order from the server; `data` has the shape that its name says in the contract. */
export type Order = {
  [Name in keyof InboxEventData]: { readonly event: Name; readonly data: InboxEventData[Name] };
}[keyof InboxEventData];

export interface InboxParts {
  readonly session: PublisherSession;
  readonly state: StateFolder;
  readonly clock: Clock;
  readonly log: AgentLog;
  /** Called once per order, in order, after its cursor is durable. */
  readonly act: (order: Order) => void;
}

export class Inbox {
  private readonly parts: InboxParts;
  private subscription: Subscription | undefined;
  private waiting: Order[] = [];
  private reached: Cursor | undefined;
  private acted: Cursor | undefined;
  private storing = false;
  private closed = false;
  private retry: unknown;

  constructor(parts: InboxParts) {
    this.parts = parts;
    this.acted = parts.state.inbox;
  }

  /** For `hello.agent.inbox`: durable, and everything up to it is in the hands of `act`. */
  get cursor(): Cursor | undefined {
    return this.acted;
  }

  /** Subscribes as the agent that the state folder names; an earlier subscription ends. */
  open(agent: string): void {
    this.subscription?.unsubscribe();
    if (this.closed) return;
    this.acted = this.parts.state.inbox;
    this.subscription = this.parts.session.subscribe(streams.inbox(agent), {
      from: this.parts.state.inbox ?? "start",
      onEvents: (events, position) => this.receive(events, position.cursor),
      onReset: () => {
        // What was not acknowledged is served again, under offsets of its own.
        this.waiting = [];
      },
      onError: (error, decide) => {
        this.parts.log.error("agent.inbox.stopped", { agent, error });
        this.retry = this.parts.clock.after(storeRetryMsMax, () => decide.retry());
      },
    });
  }

  /** No further order is acted upon. */
  close(): void {
    this.closed = true;
    this.parts.clock.cancel(this.retry);
    this.subscription?.unsubscribe();
  }

  private receive(events: readonly AppliedEvent[], cursor: Cursor): void {
    if (this.waiting.length + events.length > inboxWaitingMax) {
      throw new RangeError(
        `${this.waiting.length} orders wait to be stored, ${inboxWaitingMax} at most: is the disk of ${this.parts.state.path} full?`,
      );
    }
    for (const { event, data } of events) this.waiting.push({ event, data } as Order);
    this.reached = cursor;
    if (!this.storing) void this.drain();
  }

  private async drain(): Promise<void> {
    this.storing = true;
    while (this.waiting.length > 0 && !this.closed) {
      const orders = this.waiting;
      const cursor = this.reached;
      this.waiting = [];
      if (cursor !== undefined) await this.store(cursor);
      if (this.closed) break;
      this.acted = cursor;
      for (const order of orders) this.act(order);
    }
    this.storing = false;
  }

  /** An order that cannot be obeyed must not keep those behind it. */
  private act(order: Order): void {
    try {
      this.parts.act(order);
    } catch (error) {
      this.parts.log.error("agent.order.failed", { order: order.event, error });
    }
  }

  /** Until it is stored or we are closed: without it nothing may be done. */
  private async store(cursor: Cursor): Promise<void> {
    for (let delayMs = storeRetryMs; !this.closed; delayMs = Math.min(2 * delayMs, storeRetryMsMax)) {
      try {
        await this.parts.state.storeInbox(cursor);
        this.parts.session.acknowledge(streams.inbox(this.parts.state.agent ?? ""), cursor);
        return;
      } catch (error) {
        this.parts.log.error("agent.inbox.unstored", { folder: this.parts.state.path, retryMs: delayMs, error });
        await new Promise<void>((resolve) => {
          this.retry = this.parts.clock.after(delayMs, resolve);
        });
      }
    }
  }
}
