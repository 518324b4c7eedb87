/**
 * Reads the server's messages without a schema library (Zod would cost a page 28–92 KB).
 *
 * Each message is a list of fields and checks. Invariant, held by a test on generated messages: a reader
 * accepts exactly what the Zod schema of the same message accepts. Unknown fields are ignored, unknown
 * types are the caller's to count (TR-5); nothing is done for a message before its whole shape was read.
 */
import type { ServerMessage, ServerMessageType } from "@holdfast/protocol";

export type Check = (value: unknown) => boolean;

/** Type of message → its shape. */
export type Checks = ReadonlyMap<unknown, Check>;

/** One element of a frame; undefined where its type is unknown or its shape wrong. `more`: types that few read. */
export function readMessage(value: unknown, more?: Checks): ServerMessage | undefined {
  if (!isRecord(value)) return undefined;
  const check = readers.get(value["type"]) ?? more?.get(value["type"]);
  return check?.(value) === true ? (value as unknown as ServerMessage) : undefined;
}

/** A whole frame: undefined where it is not a JSON array (TR-1). */
export function readFrame(text: string): readonly unknown[] | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return Array.isArray(frame) ? frame : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const any: Check = () => true;
const present: Check = (value) => value !== undefined;
const bool: Check = (value) => typeof value === "boolean";
export const text: Check = (value) => typeof value === "string";
const number: Check = Number.isFinite;
const integer: Check = Number.isSafeInteger;
export const count: Check = (value) => integer(value) && (value as number) >= 0;
export const positive: Check = (value) => integer(value) && (value as number) >= 1;
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
export const shape = (fields: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(fields);
  return (value) => isRecord(value) && entries.every(([name, check]) => check(value[name]));
};

const errorFields = {
  code: text,
  message: text,
  about: optional(shape({ type: text, id: optional(text), stream: optional(text), sequence: optional(integer) })),
  retryable: bool,
  retryAfter: optional(number),
  details: optional(isRecord),
};
export const errorBody = shape(errorFields);
export const agentIdentity = shape({ id: text, name: text, generation: positive });
const ofStream = { stream: text, sub: count };

/** What only publishers and agents hear: read in `publisher/`. */
export type RoomMessage = "agent" | "published";

/** What every session reads. */
const shapes: Readonly<Record<Exclude<ServerMessageType, RoomMessage>, Check>> = {
  welcome: shape({
    connection: text,
    node: text,
    now: count,
    user: shape({
      id: text,
      name: text,
      role: oneOf("viewer", "operator", "admin", "agent"),
      workspace: text,
      temporary: bool,
    }),
    expiresAt: optional(count),
    heartbeat: shape({ interval: count, timeout: count }),
    spread: count,
    limits: shape({ frameBytes: count, eventBytes: count, requests: count, publishBytes: count, subscriptions: count }),
    degraded: optional(shape({ reason: text, since: count })),
    features: isRecord,
    agent: optional(agentIdentity),
  }),
  authenticated: shape({ expiresAt: optional(count) }),
  expiring: shape({ in: count }),
  subscribed: shape({
    ...ofStream,
    epoch: text,
    offset: count,
    head: count,
    reset: optional(oneOf("epoch", "trimmed")),
    lost: optional(count),
    snapshot: optional(positive),
  }),
  snapshot: shape({ ...ofStream, part: positive, data: isRecord }),
  events: shape({
    stream: text,
    offset: positive,
    head: positive,
    events: listOf(
      shape({
        event: text,
        at: count,
        data: present,
        keyframe: optional(text),
        offset: optional(positive),
        through: optional(positive),
      }),
    ),
  }),
  pending: shape({ ...ofStream, reason: text, ref: optional(text) }),
  signal: shape({ stream: text, signal: text, data: any, from: optional(text) }),
  refused: shape({
    of: oneOf("subscribe", "publish", "signal"),
    stream: text,
    sub: optional(count),
    producer: optional(text),
    sequence: optional(count),
    error: errorBody,
  }),
  response: shape({ id: text, result: any, error: optional(errorBody) }),
  pong: shape({ n: count, spread: optional(count), degraded: optional(oneOf(true)) }),
  bye: shape({ code: integer, reason: text, reconnect: bool, retryAfter: optional(number), slot: optional(text) }),
  error: shape(errorFields),
};
const readers: Checks = new Map(Object.entries(shapes));
