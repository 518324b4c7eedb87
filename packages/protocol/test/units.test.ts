/** TR-7: how durations, times and bytes travel, for every message there is and those that will be. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { clientMessages, serverMessages } from "../schema/index.ts";

type Json = { readonly [key: string]: unknown };

/** Paths of all numbers of a schema that need not be whole. */
function fractions(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const found = (schema as Json)["type"] === "number" ? [path] : [];
  const below = Object.entries(schema).flatMap(([name, value]) =>
    fractions(
      value,
      ["properties", "items", "anyOf", "additionalProperties"].includes(name) ? path : `${path}.${name}`,
    ),
  );
  return [...found, ...below];
}

const messages = Object.entries({ ...clientMessages, ...serverMessages });

describe("units on the wire", () => {
  it.each(messages)("[TR-7] every number of `%s` is whole: ms, bytes, offsets, counts", (name, schema) => {
    const json = z.toJSONSchema(schema as z.ZodType, { unrepresentable: "any" });
    // CL-4: what a server says of `retryAfter` is read as it comes, and judged afterwards.
    expect(fractions(json, name).filter((path) => !path.endsWith(".retryAfter"))).toEqual([]);
  });

  it.each<[string, object]>([
    [
      "half a millisecond",
      { type: "request", id: "01900000-0000-7000-8000-000000000000", method: "m", params: {}, deadline: 1.5 },
    ],
    [
      "a time as text",
      { type: "request", id: "01900000-0000-7000-8000-000000000000", method: "m", params: {}, deadline: "2026-01-01" },
    ],
    ["a negative offset", { type: "ack", stream: "inbox/a", epoch: "e", offset: -1 }],
  ])("[TR-7] %s is no message", (_title, message) => {
    const { type } = message as { type: keyof typeof clientMessages };
    expect(clientMessages[type].safeParse(message).success).toBe(false);
  });

  it("[TR-7] an item of hello.subscribe may have a `type`, and it means nothing", () => {
    const item = { stream: "fleet", sub: 1, from: "start" };
    const hello = {
      type: "hello",
      protocol: 1,
      instance: "01900000-0000-7000-8000-000000000000",
      attempt: 1,
      client: { name: "test", version: "1" },
      visible: true,
    };
    for (const type of ["subscribe", "unsubscribe", 7, null]) {
      const read = clientMessages.hello.parse({ ...hello, subscribe: [{ ...item, type }] });
      expect(read.subscribe).toEqual([item]);
    }
  });
});
