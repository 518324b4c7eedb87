/** Seen red: with any word of the filter enough, with upper case not found, with an unknown code shown as nothing. */
import { closeCodes } from "@holdfast/protocol";
import type { ConnectionRecord } from "@holdfast/protocol/schema";
import { expect, it } from "vitest";
import { endWord, failedStep, isMeant } from "../../src/features/connections/recordWords.ts";

const record: ConnectionRecord = {
  connection: "c-1",
  node: "n",
  at: 0,
  address: "192.0.2.7",
  client: "holdfast-page",
  user: "u-17",
  userName: "Ada",
  role: "operator",
  phases: { hello: 1, admitted: 2, welcomed: 3 },
  messagesIn: 0,
  bytesIn: 0,
  messagesOut: 0,
  bytesOut: 0,
  handlingMs: { sum: 0, longest: 0 },
  errors: {},
  durationMs: 10,
  code: closeCodes.silent,
  reason: "silent for 30000 ms",
  expected: false,
};

it.each([
  ["", true],
  ["  ", true],
  ["ada", true],
  ["u-17", true],
  ["192.0.2", true],
  ["4408", true],
  ["SILENT ada", true],
  ["ada 4503", false],
  ["grace", false],
] as const)("the filter %j means it: %s", (filter, meant) => {
  expect(isMeant(record, filter)).toBe(meant);
});

it("names every close code, those that nobody knows by their number", () => {
  expect(endWord(record)).toBe("silent");
  expect(endWord({ code: 4999 })).toBe("code 4999");
});

it("says how far an opening came that was not welcomed", () => {
  expect(failedStep(record)).toBeUndefined();
  expect(failedStep({ phases: {} })).toBe("before it said who it is");
  expect(failedStep({ phases: { hello: 1 } })).toBe("while it waited for its turn");
  expect(failedStep({ phases: { hello: 1, admitted: 2 } })).toBe("while it was judged");
});
