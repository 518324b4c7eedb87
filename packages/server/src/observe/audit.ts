/**
 * The stream `audit`: who has done what to others' rights, secrets or work, and when, for admins; kept as long as the
 * table says.
 *
 * A method says of itself that it is audited (`Method.audited`); nothing else writes here. Invariants: an entry is
 * written in the transaction of the deed itself, so that neither is there without the other; it holds values that a
 * declaration names, and of everything else that was given the name only. What was refused leaves an entry too, with
 * the code, and without any value that was asked for: nobody has checked those.
 */
import type { ErrorCode } from "@holdfast/protocol";
import type { Audited, Method, NewEvent, Principal, StreamFamily, Transaction } from "../plugin.ts";

export const auditStream = "audit";
export const doneEvent = "audit.done";
export const refusedEvent = "audit.refused";

export const auditFamily: StreamFamily = {
  name: auditStream,
  always: true,
  inbox: false,
  mayRead: ({ role }) => role === "admin",
  lifetime: "audit",
};

/** Where a request came from. Over HTTP there is no connection to name. */
export interface Origin {
  readonly id?: string;
  readonly address: string;
}

/** A request as the audit sees it. */
interface Asked {
  readonly caller: Principal;
  readonly method: string;
  readonly params: unknown;
  readonly from?: Origin;
}

/** A request under way that is audited, whatever becomes of it. */
export interface Deed {
  done(result: unknown): NewEvent;
  refused(code: ErrorCode): NewEvent;
}

/** Undefined where it is nobody's but the caller's. Asked before it is done. */
export async function deedOf(
  tx: Transaction,
  { audited }: Pick<Method, "audited">,
  asked: Asked,
): Promise<Deed | undefined> {
  if (audited === undefined) return undefined;
  const facts = audited.concerns === undefined ? {} : await audited.concerns(tx, asked.params as never, asked.caller);
  if (facts === undefined) return undefined;
  const { told = [] } = audited;
  return {
    done(result) {
      const named = told.map((name) => [name, fieldOf(asked.params, name) ?? fieldOf(result, name)]);
      const about = { ...Object.fromEntries(named), ...facts };
      return { event: doneEvent, data: { ...entry(audited, asked, told, result), about } };
    },
    refused: (code) => refusedDeed(audited, asked, code),
  };
}

/** Of one that did not come as far as the transaction: its role was too low. */
export function refusedDeed(audited: Audited, asked: Asked, code: ErrorCode): NewEvent {
  return { event: refusedEvent, data: { ...entry(audited, asked, []), refused: code } };
}

function entry(
  { object }: Audited,
  { caller, method, params, from }: Asked,
  told: readonly string[],
  result?: unknown,
): object {
  const { id, name, role } = caller;
  const objectId = object === undefined ? undefined : idOf(fieldOf(params, object.id) ?? fieldOf(result, object.id));
  const given = namesIn(params).filter((field) => field !== object?.id && !told.includes(field));
  return {
    by: { id, name, role },
    action: method,
    ...(object !== undefined && objectId !== undefined && { object: { type: object.type, id: objectId } }),
    ...(given.length > 0 && { given }),
    ...(from && { from: { address: from.address, ...(from.id !== undefined && { connection: from.id }) } }),
  };
}

function namesIn(params: unknown): readonly string[] {
  if (typeof params !== "object" || params === null) return [];
  return Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** A thing in a result is named by its id. */
function idOf(value: unknown): string | undefined {
  const id = typeof value === "object" ? fieldOf(value, "id") : value;
  return typeof id === "string" ? id : undefined;
}
