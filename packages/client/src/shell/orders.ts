/**
 * Requests between the program and the outbox: who waits for which, and what is written down (RQ-3).
 *
 * An order has a ticket that outlives sockets, owners and reloads; the outbox has a key. With a storage a
 * durable order is written before it waits and its id before it is sent, both by the core's word. Nothing is
 * placed before the storage has told what it holds, so what waited longest goes first. An outcome that nobody
 * waited for (its page is gone) is kept for who asks later, up to `outcomesKeptMax`.
 */
import { type Clock, ProtocolError } from "@holdfast/protocol";
import type { SavedRequest } from "../api.ts";
import { outboxEntriesMax } from "../core/limits.ts";
import type { NewRequest } from "../core/outbox.ts";
import type { Held, NamedRequest, SessionStorage } from "../storage/port.ts";

/** Outcomes of requests whose page is gone, for the one that comes after it. */
const outcomesKeptMax = 100;

export interface Order {
  readonly ticket: string;
  readonly method: string;
  /** JSON. */
  readonly params: string;
  readonly lane: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly durable: boolean;
  /** ms since 1970, on our clock. */
  readonly savedAt: number;
  readonly named: NamedRequest | undefined;
}

export interface Waiter {
  /** It has the id under which it goes out. */
  named(named: NamedRequest): void;
  settled(result: unknown, error: ProtocolError | undefined): void;
}

interface Placed {
  readonly order: Order;
  readonly key: number;
  readonly waiters: Set<Waiter>;
  named: NamedRequest | undefined;
  stored: NonNullable<NewRequest["before"]>["stored"];
}

export interface Orders {
  /** A ticket that is there already only gains a waiter. */
  place(order: Order, waiter: Waiter): void;
  /** Takes back what was never sent. */
  withdraw(ticket: string): void;
  /** This waiter hears no more; what nobody waits for and was never sent is taken back, unless it is durable. */
  leave(ticket: string, waiter: Waiter): void;
  /** Waits for one that is there, or was lately; `settled` with `not_found` else. */
  await(ticket: string, waiter: Waiter): void;
  /** Durable ones not yet decided: the same array while nothing changed. */
  readonly saved: readonly SavedRequest[];
  named(key: number, named: NamedRequest): void;
  save(key: number): void;
  /** `isKept`: the session ends, the request does not. */
  settled(key: number, result: unknown, error: ProtocolError | undefined, isKept: boolean): void;
  /** What the storage held; from now on orders are placed. */
  begin(held: Held | undefined): void;
}

type Say = (
  event:
    | { readonly kind: "call"; readonly request: NewRequest }
    | { readonly kind: "withdraw"; readonly key: number }
    | { readonly kind: "saved"; readonly key: number; readonly ok: boolean },
) => void;

export function makeOrders(
  say: Say,
  clock: Clock,
  storage: SessionStorage | undefined,
  changed: () => void,
  report: (error: unknown) => void,
): Orders {
  const byTicket = new Map<string, Placed>();
  const byKey = new Map<number, Placed>();
  const outcomes = new Map<string, { readonly result: unknown; readonly error: ProtocolError | undefined }>();
  let early: Placed[] | undefined = [];
  let writes = false;
  let keys = 0;
  let saved: readonly SavedRequest[] = [];

  function add(order: Order, waiter: Waiter | undefined, stored: Placed["stored"]): Placed {
    keys += 1;
    const waiters = new Set(waiter === undefined ? [] : [waiter]);
    const placed: Placed = { order, key: keys, waiters, named: order.named, stored };
    byTicket.set(order.ticket, placed);
    byKey.set(placed.key, placed);
    return placed;
  }

  function submit(placed: Placed): void {
    const { order, key, named, stored } = placed;
    const isSaved = order.durable && writes && stored === "no" && named === undefined;
    const waitedMs = Math.max(0, clock.now() - order.savedAt);
    const { method, params, lane, timeoutMs, durable } = order;
    say({
      kind: "call",
      request: { key, method, params, lane, timeoutMs, durable, isSaved, before: { named, stored, waitedMs } },
    });
    if (isSaved && byKey.has(key)) write(placed);
    refresh();
  }

  function write(placed: Placed): void {
    const { named } = placed;
    const { ticket, method, params, lane, timeoutMs, savedAt } = placed.order;
    const record = { ticket, method, params, lane, timeoutMs, savedAt, named };
    const answer = (ok: boolean): void => {
      if (ok) placed.stored = named === undefined ? "unsent" : "named";
      // Decided meanwhile (withdrawn): nothing of it may wait for the next reload.
      if (byKey.has(placed.key)) {
        refresh();
        say({ kind: "saved", key: placed.key, ok });
      } else erase(placed);
    };
    storage?.putRequest(record).then(
      () => answer(true),
      () => answer(false),
    );
  }

  function erase({ stored, order }: Placed): void {
    if (stored !== "no") storage?.deleteRequest(order.ticket).catch(report);
  }

  function refresh(): void {
    saved = [...byTicket.values()]
      .filter(({ order }) => order.durable)
      .map(({ order: { ticket, method, params, lane, savedAt }, named, stored }) => ({
        ticket,
        method,
        params: JSON.parse(params) as unknown,
        lane,
        savedAt,
        isKept: stored !== "no",
        isSent: named !== undefined,
      }));
    changed();
  }

  function keepOutcome(ticket: string, result: unknown, error: ProtocolError | undefined): void {
    outcomes.set(ticket, { result, error });
    for (const oldest of outcomes.keys()) {
      if (outcomes.size <= outcomesKeptMax) break;
      outcomes.delete(oldest);
    }
  }

  return {
    get saved() {
      return saved;
    },
    place(order, waiter) {
      const there = byTicket.get(order.ticket);
      if (there !== undefined) {
        there.waiters.add(waiter);
        if (there.named !== undefined) waiter.named(there.named);
        return;
      }
      if (early !== undefined && early.length >= outboxEntriesMax) {
        waiter.settled(undefined, new ProtocolError("queue_full", `${order.method}: too many requests wait`));
        return;
      }
      const placed = add(order, waiter, "no");
      if (early === undefined) submit(placed);
      else early.push(placed);
    },
    withdraw(ticket) {
      const placed = byTicket.get(ticket);
      if (placed === undefined) return;
      if (early?.includes(placed)) {
        early = early.filter((other) => other !== placed);
        this.settled(placed.key, undefined, withdrawn(placed.order), false);
      } else say({ kind: "withdraw", key: placed.key });
    },
    leave(ticket, waiter) {
      const placed = byTicket.get(ticket);
      placed?.waiters.delete(waiter);
      if (placed?.waiters.size === 0 && !placed.order.durable) this.withdraw(ticket);
    },
    await(ticket, waiter) {
      const placed = byTicket.get(ticket);
      const outcome = outcomes.get(ticket);
      if (placed !== undefined) placed.waiters.add(waiter);
      else if (outcome !== undefined) waiter.settled(outcome.result, outcome.error);
      else waiter.settled(undefined, new ProtocolError("not_found", `no saved request has the ticket ${ticket}`));
    },
    named(key, named) {
      const placed = byKey.get(key);
      if (placed === undefined) return;
      placed.named = named;
      for (const waiter of placed.waiters) waiter.named(named);
      refresh();
    },
    save(key) {
      const placed = byKey.get(key);
      if (placed !== undefined) write(placed);
    },
    settled(key, result, error, isKept) {
      const placed = byKey.get(key);
      if (placed === undefined) return;
      byKey.delete(key);
      byTicket.delete(placed.order.ticket);
      if (!isKept) erase(placed);
      if (placed.order.durable) keepOutcome(placed.order.ticket, result, error);
      for (const waiter of placed.waiters) waiter.settled(result, error);
      refresh();
    },
    begin(held) {
      writes = held !== undefined;
      const waiting = early ?? [];
      early = undefined;
      for (const request of held?.requests ?? []) {
        const { named, ...rest } = request;
        const there = byTicket.get(request.ticket);
        if (there !== undefined) {
          // Its page came before us: the storage knows more of it.
          there.stored = named === undefined ? "unsent" : "named";
          there.named ??= named;
        } else submit(add({ ...rest, durable: true, named }, undefined, named === undefined ? "unsent" : "named"));
      }
      for (const placed of waiting) submit(placed);
    },
  };
}

function withdrawn({ method }: Order): ProtocolError {
  return new ProtocolError("unavailable", `${method}: withdrawn before it was sent`, {
    details: { reason: "withdrawn" },
  });
}
