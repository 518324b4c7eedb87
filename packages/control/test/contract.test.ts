/** What the contract takes as bytes (TR-7). */
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { agentEvents, inboxEvents, methods } from "../contract/index.ts";

const terminal = { thread: "t", terminal: "t", generation: 1 };
const places: readonly (readonly [string, z.ZodType, object])[] = [
  ["terminal.output", agentEvents["terminal.output"], terminal],
  ["terminal.screen", agentEvents["terminal.screen"], { ...terminal, cols: 80, rows: 24 }],
  ["terminal.input", inboxEvents["terminal.input"], terminal],
  ["terminal.write", methods["terminal.write"].params, terminal],
];

describe("bytes", () => {
  it.each(places)("[TR-7] of `%s` are base64 with its padding, and nothing else", (_name, schema, rest) => {
    const takes = (data: unknown): boolean => schema.safeParse({ ...rest, data }).success;
    for (const bytes of ["", "a", "ab", "abc", "\u0000\u00ff\u{1f600}"])
      expect(takes(Buffer.from(bytes).toString("base64"))).toBe(true);
    for (const wrong of ["YQ", "YQ=", "Y===", "YQ==\n", "Y Q=", "_-8=", "YWI=YWI=", "é", 97, null, [97], undefined])
      expect(takes(wrong)).toBe(false);
  });
});
