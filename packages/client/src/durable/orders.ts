/**
 * Requests between the program and the outbox: who waits for which, and what is written down (RQ-3).
 *
 * An order has a ticket that outlives sockets, owners and reloads; the outbox knows the request that it was asked
 * as. With a storage a durable order is written before it waits and its id before it is sent; one that follows a plain
 * one only once that has a result, since a reload would forget what it must follow (RQ-4). Nothing is placed before
 * the storage has told what it holds, so what waited longest goes first. An outcome that nobody waited for (its page
 * is gone) is kept for who asks later, up to `outcomesKeptMax`.
 */
import { limits, ProtocolError } from "@holdfast/protocol";
import { outboxEntriesMax } from "../core/limits.ts";
import { type Asked, type Entry, withdraw, withdrawn } from "../core/outbox.ts";
import { call } from "../core/program.ts";
import type { OwnedSession } from "../openSession.ts";
import { report } from "../shell/handlers.ts";
import type { GivenId, Held, NamedRequest, SessionStorage } from "../storage/port.ts";
import { makeKeeper, type RequestKeeper, type Stored } from "./keeping.ts";

/** Outcomes of requests whose page is gone, for the one that comes after it. */
const outcomesKeptMax = 100;

/** A durable request that is not decided yet: saved here, or sent and not answered (RQ-3). */
export interface SavedRequest {
  /** Names it through reloads, in every tab. */
  readonly ticket: string;
  readonly method: string;
  readonly params: unknown;
  readonly lane: string | undefined;
  /** ms since 1970, on our clock. */
  readonly savedAt: number;
  /** Is written down: survives a reload. */
  readonly isKept: boolean;
  /** Was sent, so it cannot be withdrawn any more. */
  readonly isSent: boolean;
}

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
  /** Its id, where whoever asked gives it: two owners of sockets may hold one order, and both send it as one (RQ-1). */
  readonly given: GivenId | undefined;
}

export interface Waiter {
  /** It has the id under which it goes out. */
  named(named: NamedRequest): void;
  settled(result: unknown, error: ProtocolError | undefined): void;
}

interface Placed {
  readonly order: Order;
  readonly waiters: Set<Waiter>;
  named: NamedRequest | undefined;
  given: GivenId | undefined;
  /** Who asked, and has not said yet that it may be sent. */
  heldBy: Waiter | undefined;
  stored: Stored;
  /** Once it is in the outbox. */
  asked: { readonly request: Asked; readonly keeper: RequestKeeper } | undefined;
}

export interface Orders {
  /** A ticket that is there already only gains a waiter. `isHeld`: it is not sent before it is released. */
  place(order: Order, waiter: Waiter, isHeld?: boolean): void;
  release(ticket: string, given: GivenId): void;
  /** Takes back what was never sent. */
  withdraw(ticket: string): void;
  /**
   * This waiter hears no more; what nobody waits for and was never sent is taken back, unless it is durable.
   * `isGone`: whoever asked is no more, and releases nothing.
   */
  leave(ticket: string, waiter: Waiter, isGone: boolean): void;
  /** Waits for one that is there, or was lately; `settled` with `not_found` else. */
  await(ticket: string, waiter: Waiter): void;
  /** Durable ones not yet decided: the same array while nothing changed. */
  readonly saved: readonly SavedRequest[];
  /** What the storage held; from now on orders are placed. */
  begin(held: Held | undefined): void;
}

export function makeOrders(owned: OwnedSession, storage: SessionStorage | undefined): Orders {
  const { core, clock, say } = owned;
  const placed = new Map<string, Placed>();
  const outcomes = new Map<string, { readonly result: unknown; readonly error: ProtocolError | undefined }>();
  const lanes = new Map<Entry, string>();
  let early: Placed[] | undefined = [];
  let writes = false;
  let saved: readonly SavedRequest[] = [];

  function add(order: Order, waiters: readonly Waiter[], stored: Stored, isHeld: boolean): Placed {
    const { named, given } = order;
    const heldBy = isHeld ? waiters[0] : undefined;
    const added: Placed = { order, waiters: new Set(waiters), named, given, heldBy, stored, asked: undefined };
    placed.set(order.ticket, added);
    return added;
  }

  function submit(entry: Placed): void {
    const { order, named, stored } = entry;
    const { method, params, lane, timeoutMs, durable, savedAt } = order;
    const isSaving = mayBeKept(entry) && named === undefined;
    const keptMs = durable ? limits.durableRequestKeptMs : (timeoutMs ?? limits.requestDeadlineMs);
    const unsentMs = keptMs - Math.max(0, clock.now() - savedAt);
    const keeper = makeKeeper({
      lane,
      lanes,
      stored,
      isSaving,
      named,
      // Found too late, in the port of an owner that was stopped: whoever asked has given it up (RQ-3).
      mayName: () => unsentMs > 0 && entry.heldBy === undefined,
      onNamed: (given) => noteNamed(entry, given),
      save: () => write(entry),
    });
    const request: Asked = {
      method,
      params,
      timeoutMs,
      named,
      get id() {
        return entry.given?.id;
      },
      get after() {
        // One that is here decides: it may have gone out as something else.
        return core.outbox.entries.get(request)?.after === undefined ? entry.given?.after : undefined;
      },
      unsentMs,
      keeper,
      settled: (result, error) => settle(entry, result, error),
    };
    entry.asked = { request, keeper };
    say((turn) => call(core, request, turn));
    if (isSaving && placed.has(order.ticket)) write(entry);
    refresh(entry);
  }

  function release(entry: Placed, given: GivenId | undefined): void {
    entry.given ??= given;
    entry.heldBy = undefined;
    if (entry.asked !== undefined) say(() => {});
  }

  function noteNamed(entry: Placed, named: NamedRequest): void {
    entry.named = named;
    for (const waiter of entry.waiters) waiter.named(named);
    refresh(entry);
  }

  function write(entry: Placed): void {
    const { named, asked } = entry;
    const { ticket, method, params, lane, timeoutMs, savedAt } = entry.order;
    const { given } = entry;
    const answer = (ok: boolean): void => {
      if (ok) entry.stored = named === undefined ? "unsent" : "named";
      // Decided meanwhile (withdrawn): nothing of it may wait for the next reload.
      if (placed.get(ticket) !== entry) {
        erase(entry);
        return;
      }
      refresh(entry);
      say(({ now }) => asked?.keeper.saved(core.outbox, asked.request, ok, now));
    };
    storage?.putRequest({ ticket, method, params, lane, timeoutMs, savedAt, given, named }).then(
      () => answer(true),
      () => answer(false),
    );
  }

  function mayBeKept({ order: { ticket, durable, lane }, stored }: Placed): boolean {
    if (!durable || !writes || stored !== "no") return false;
    for (const { order } of placed.values()) {
      if (order.ticket === ticket) break;
      if (lane !== undefined && order.lane === lane && !order.durable) return false;
    }
    return true;
  }

  /** RQ-4: the plain one before them has a result. */
  function keepFollowers(lane: string): void {
    for (const entry of placed.values()) {
      const { asked } = entry;
      if (entry.order.lane !== lane || asked === undefined || !mayBeKept(entry)) continue;
      asked.keeper.hold(core.outbox, asked.request);
      write(entry);
    }
  }

  function erase({ stored, order }: Placed): void {
    if (stored !== "no") storage?.deleteRequest(order.ticket).catch(report);
  }

  function settle(entry: Placed, result: unknown, error: ProtocolError | undefined): void {
    const { ticket, durable } = entry.order;
    placed.delete(ticket);
    // What ends with the session alone waits in the storage for the next one.
    if (core.connection.state.kind !== "closed") erase(entry);
    if (durable) keepOutcome(ticket, result, error);
    for (const waiter of entry.waiters) waiter.settled(result, error);
    refresh(entry);
    const { lane } = entry.order;
    // A follower that went out with this answer has its id when that is told, and not before.
    if (lane !== undefined && !durable && error === undefined)
      say(({ out }) => out.push({ kind: "tell", tell: () => keepFollowers(lane) }));
  }

  function keepOutcome(ticket: string, result: unknown, error: ProtocolError | undefined): void {
    outcomes.set(ticket, { result, error });
    for (const oldest of outcomes.keys()) {
      if (outcomes.size <= outcomesKeptMax) break;
      outcomes.delete(oldest);
    }
  }

  function refresh({ order: changed }: Placed): void {
    if (!changed.durable) return;
    saved = [...placed.values()]
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
    owned.changed();
  }

  function takeBack(ticket: string): void {
    const entry = placed.get(ticket);
    if (entry === undefined) return;
    const { asked } = entry;
    if (asked !== undefined) say((turn) => withdraw(core.outbox, asked.request, turn));
    else {
      early = early?.filter((other) => other !== entry);
      settle(entry, undefined, withdrawn(entry.order.method));
    }
  }

  return {
    get saved() {
      return saved;
    },
    place(order, waiter, isHeld = false) {
      const there = placed.get(order.ticket);
      if (there !== undefined) {
        there.waiters.add(waiter);
        if (there.named !== undefined) waiter.named(there.named);
        // Its page lives: what the storage had of it was thought to be of one that is gone.
        if (there.named === undefined) Object.assign(there, { heldBy: waiter, given: there.given ?? order.given });
        if (!isHeld) release(there, order.given);
        return;
      }
      const outcome = outcomes.get(order.ticket);
      if (outcome !== undefined) {
        waiter.settled(outcome.result, outcome.error);
        return;
      }
      if (early !== undefined && early.length >= outboxEntriesMax) {
        waiter.settled(undefined, new ProtocolError("queue_full", `${order.method}: too many requests wait`));
        return;
      }
      const entry = add(order, [waiter], "no", isHeld);
      if (early === undefined) submit(entry);
      else early.push(entry);
    },
    release(ticket, given) {
      const entry = placed.get(ticket);
      if (entry !== undefined) release(entry, given);
    },
    withdraw: takeBack,
    leave(ticket, waiter, isGone) {
      const entry = placed.get(ticket);
      entry?.waiters.delete(waiter);
      // Whoever else waits for its outcome releases nothing.
      if (entry?.order.durable) {
        if (isGone && entry.heldBy === waiter) release(entry, undefined);
      } else if (entry?.waiters.size === 0) takeBack(ticket);
    },
    await(ticket, waiter) {
      const entry = placed.get(ticket);
      const outcome = outcomes.get(ticket);
      if (entry !== undefined) entry.waiters.add(waiter);
      else if (outcome !== undefined) waiter.settled(outcome.result, outcome.error);
      else waiter.settled(undefined, new ProtocolError("not_found", `no saved request has the ticket ${ticket}`));
    },
    begin(held) {
      writes = held !== undefined;
      const waiting = early ?? [];
      early = undefined;
      for (const { named, given, ...request } of held?.requests ?? []) {
        const stored = named === undefined ? "unsent" : "named";
        const there = placed.get(request.ticket);
        if (there === undefined) submit(add({ ...request, durable: true, given, named }, [], stored, false));
        else {
          // Its page came before us: the storage knows more of it.
          there.stored = stored;
          there.named ??= named;
        }
      }
      for (const entry of waiting) submit(entry);
    },
  };
}
