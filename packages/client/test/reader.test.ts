/**
 * The small readers and the Zod schemas accept the same (TR-5, TR-6).
 *
 * Messages are generated from each schema's own examples, then broken in every field: absent, null, of
 * another type, at and beyond a limit. Seen red: with `count` that accepts -1, and with an
 * event accepted without its `data`, and with codes of errors that only this side knows.
 */
import { serverMessages } from "@holdfast/protocol/schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFrame, readMessage } from "../src/core/reader.ts";
import { publisherChecks } from "../src/publisher/room.ts";

const uuid = "01890000-0000-7000-8000-000000000000";
const error = {
  code: "internal",
  message: "m",
  about: { type: "request", id: "i", stream: "s", sequence: 3 },
  retryable: true,
  retryAfter: 1.5,
  details: { a: 1 },
};
const examples: { readonly [Type in keyof typeof serverMessages]: Record<string, unknown> } = {
  welcome: {
    connection: "c",
    node: "n",
    now: 5,
    user: { id: "u", name: "n", role: "admin", workspace: "w", temporary: false },
    expiresAt: 9,
    heartbeat: { interval: 1, timeout: 1 },
    spread: 0,
    limits: { frameBytes: 1, eventBytes: 1, requests: 1, publishBytes: 1, subscriptions: 1 },
    degraded: { reason: "r", since: 1 },
    features: { any: [1] },
    agent: { id: "a", name: "n", generation: 1 },
  },
  agent: { id: "a", name: "n", generation: 1 },
  authenticated: { expiresAt: 1 },
  expiring: { in: 1 },
  subscribed: { stream: "s", sub: 1, epoch: "e", offset: 0, head: 0, reset: "epoch", lost: 1, snapshot: 1 },
  snapshot: { stream: "s", sub: 1, part: 1, data: { list: [1] } },
  events: {
    stream: "s",
    offset: 1,
    head: 1,
    events: [
      { event: "e", at: 1, data: null, keyframe: "k", offset: 1, through: 2 },
      { event: "e", at: 1, data: {} },
    ],
  },
  pending: { stream: "s", sub: 1, reason: "r", ref: "x" },
  signal: { stream: "s", signal: "typing", data: 1, from: "u" },
  refused: { of: "publish", stream: "s", sub: 1, producer: uuid, sequence: 1, error },
  response: { id: "i", result: {}, error },
  published: { stream: "s", producer: uuid, sequence: 1, rejected: [{ sequence: 1, error }] },
  pong: { n: 1, spread: 1 },
  bye: { code: 1012, reason: "r", reconnect: true, retryAfter: 3, slot: "s" },
  error,
};
/** As a session reads that has every part. */
const isRead = (value: unknown): boolean => readMessage(value, publisherChecks) !== undefined;
const types = Object.keys(serverMessages) as (keyof typeof serverMessages)[];

/** What a field may turn into. `undefined`: absent. */
const wrong = fc.constantFrom<unknown>(
  undefined,
  null,
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  1e300,
  "",
  "x",
  "a b",
  "x".repeat(65),
  "x".repeat(201),
  true,
  [],
  [1],
  {},
  { a: 1 },
  "internal",
  "epoch",
  "admin",
  "publish",
  uuid,
  uuid.toUpperCase(),
);

/** Every path to a value in it, objects and arrays included. */
function paths(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  const here = path.length === 0 ? [] : [[...path]];
  if (Array.isArray(value)) return [...here, ...value.flatMap((item, index) => paths(item, [...path, index]))];
  if (typeof value !== "object" || value === null) return here;
  return [...here, ...Object.entries(value).flatMap(([key, item]) => paths(item, [...path, key]))];
}

function withValue(message: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(message))
    return message.map((item: unknown, index) => (index === key ? withValue(item, rest, value) : item));
  if (typeof message !== "object" || message === null) return message;
  return { ...message, [key]: withValue((message as Record<string, unknown>)[key], rest, value) };
}

describe("[TR-6] reader and schema", () => {
  it.each(types)("accept the same of `%s`", (type) => {
    const example = { type, ...examples[type] };
    expect(isRead(example)).toBe(true);
    expect(serverMessages[type].safeParse(example).success).toBe(true);
    const breaks = fc.array(fc.tuple(fc.constantFrom(...paths(examples[type])), wrong), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(breaks, (changes) => {
        const changed = changes.reduce<unknown>((message, [path, value]) => withValue(message, path, value), example);
        // As it comes over the wire: what JSON cannot say is absent.
        const message: unknown = JSON.parse(JSON.stringify(changed));
        expect(isRead(message), JSON.stringify(message)).toBe(serverMessages[type].safeParse(message).success);
      }),
      { numRuns: 1_000 },
    );
  });

  it("[TR-5] an unknown type and an unknown field are no fault", () => {
    for (const value of [{ type: "invented", x: 1 }, { type: "toString" }, { type: ["pong"], n: 1 }, {}, 1])
      expect(isRead(value)).toBe(false);
    expect(isRead({ type: "pong", n: 1, invented: {} })).toBe(true);
  });

  it("[TR-1] a frame is a JSON array; anything else is unreadable, and nothing throws", () => {
    expect(readFrame("[]")).toEqual([]);
    for (const frame of ["", "{}", "null", "[", '"x"', "1"]) expect(readFrame(frame)).toBeUndefined();
    fc.assert(fc.property(fc.jsonValue(), (value) => void isRead(value)));
  });
});
