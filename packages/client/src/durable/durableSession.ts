/**
 * A session whose requests may outlive it: `call(…, { durable: true })` waits unsent for up to 1 h, and with a
 * storage across reloads (RQ-3).
 *
 * What the storage holds says whom to expect, so it is read before the first `hello` (OP-5); it goes as a whole
 * when the session turns out to be another user's. Without one everything is as told, in memory only.
 */
import { type Clock, type Identity, makeId } from "@holdfast/protocol";
import type { AppliedEvent, CallOptions, MethodMap, Session, SessionOptions } from "../api.ts";
import { guard } from "../core/effects.ts";
import { holdIdentity } from "../core/sessionCore.ts";
import { openSession } from "../openSession.ts";
import { withFace } from "../shell/face.ts";
import { report } from "../shell/handlers.ts";
import { toJson } from "../shell/json.ts";
import type { SessionStorage } from "../storage/port.ts";
import { makeOrders, type Orders, type SavedRequest, type Waiter } from "./orders.ts";

export interface DurableSessionOptions extends SessionOptions {
  /** Keeps durable requests across reloads (RQ-3), and whose they are (OP-5). Absent: memory only. */
  readonly storage?: SessionStorage;
}

export interface DurableCallOptions extends CallOptions {
  /** Waits unsent for up to 1 h (RQ-3). */
  readonly durable?: boolean;
  /** Requests of one lane follow each other (`after`, RQ-4): a thread's or an agent's id. */
  readonly lane?: string;
  /** Hears the ticket of this request, which `saved`, `outcome` and `withdraw` know it by. */
  readonly onTicket?: (ticket: string) => void;
}

export interface DurableSession<Methods extends MethodMap = MethodMap> extends Session<Methods> {
  call<Name extends keyof Methods & string>(
    method: Name,
    params: Methods[Name]["params"],
    options?: DurableCallOptions,
  ): Promise<Methods[Name]["result"]>;
  /** Durable requests not yet decided, those of earlier pages too; the same array while nothing changed. */
  readonly saved: readonly SavedRequest[];
  /** The outcome of a saved request, whoever asked for it: as `call` would have told it. */
  outcome(ticket: string): Promise<unknown>;
  /** Takes a saved request back; what was sent already goes on. */
  withdraw(ticket: string): void;
}

/** A durable session, and what the host of shared tabs needs of it. */
export interface OwnedDurableSession {
  readonly session: DurableSession;
  readonly orders: Orders;
  /** Whose it is, or is expected to be (OP-5). */
  readonly identity: Identity | undefined;
  /** The server's clock, ms, as far as it is known. */
  serverNow(): number;
  /** Events of a live reader have just been shown, elsewhere. */
  noteShown(events: readonly AppliedEvent[]): void;
}

/** @param lent its pages are elsewhere */
export function openDurableSession(
  options: DurableSessionOptions,
  lent?: { readonly expect: Identity | undefined },
): OwnedDurableSession {
  const { storage } = options;
  const owned = openSession(
    {
      ...options,
      onIdentityChanged() {
        storage?.drop().catch(report);
        options.onIdentityChanged?.();
      },
    },
    { isLent: lent !== undefined },
  );
  const { clock, random, core } = owned;
  if (lent?.expect !== undefined) holdIdentity(core, lent.expect);
  const orders = makeOrders(owned, storage);
  let told: Session["user"];

  async function call(
    method: string,
    params: unknown,
    { signal, timeout, durable = false, lane, onTicket }: DurableCallOptions = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    owned.assertOpen(method);
    const text = toJson(params ?? {}, method);
    const savedAt = clock.now();
    const ticket = makeId(savedAt, random);
    const { waiter, settled, reject } = makeWaiter();
    const abort = (): void => {
      // What was sent cannot be unsent: then only the caller stops waiting.
      reject(signal?.reason);
      orders.withdraw(ticket);
    };
    signal?.addEventListener("abort", abort);
    // Before `saved` shows it, so that its caller knows it for its own.
    guard(() => onTicket?.(ticket), report);
    orders.place(
      { ticket, method, params: text, lane, timeoutMs: timeout, durable, savedAt, given: undefined, named: undefined },
      waiter,
    );
    return settled.finally(() => signal?.removeEventListener("abort", abort));
  }

  const session = withFace(owned.session, {
    call,
    get saved() {
      return orders.saved;
    },
    outcome(ticket: string) {
      const { waiter, settled } = makeWaiter();
      orders.await(ticket, waiter);
      return settled;
    },
    withdraw: (ticket: string) => orders.withdraw(ticket),
  });

  session.onChange(() => {
    const { user } = session;
    if (user !== undefined && user !== told)
      storage?.identify({ user: user.id, workspace: user.workspace }).catch(report);
    told = user;
    if (core.connection.state.kind === "closed") storage?.close();
  });
  void begin();

  function serverNow(): number {
    return clock.monotonic() + core.connection.serverOffsetMs;
  }

  async function begin(): Promise<void> {
    const held = storage && (await within(storage.open(), storageOpenMsMax, clock));
    orders.begin(held);
    if (core.connection.expect === undefined && held?.identity !== undefined) holdIdentity(core, held.identity);
    owned.start();
  }

  return {
    session,
    orders,
    get identity() {
      return core.connection.expect;
    },
    serverNow,
    noteShown: (events) => core.lag.note(events, serverNow()),
  };
}

function makeWaiter() {
  const { promise: settled, resolve, reject } = Promise.withResolvers<unknown>();
  const waiter: Waiter = {
    named() {},
    settled: (result, error) => (error === undefined ? resolve(result) : reject(error)),
  };
  return { waiter, settled, reject };
}

/** A storage that does not answer in this time is gone without. */
const storageOpenMsMax = 3_000;

/** Undefined where it failed or took too long: the session works without. */
function within<Value>(promise: Promise<Value>, ms: number, clock: Clock): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(undefined));
    promise.then(resolve, () => resolve(undefined)).finally(() => clock.cancel(timer));
  });
}
