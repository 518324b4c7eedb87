/** Start, adopt or replace: the whole table. */
import { expect, it } from "vitest";
import { decideAdoption } from "../../src/localAgents/adoption.ts";

const living = { pid: 7, version: "1.0.0", key: true };

it.each([
  ["nobody lives there", undefined, { version: "1.0.0", key: true }, { kind: "start" }],
  ["the living one is right", living, { version: "1.0.0", key: true }, { kind: "adopt", pid: 7 }],
  ["the living one has a key that is not needed", living, { version: "1.0.0", key: false }, { kind: "adopt", pid: 7 }],
  ["neither has a key", { ...living, key: false }, { version: "1.0.0", key: false }, { kind: "adopt", pid: 7 }],
  [
    "the living one is of another version",
    living,
    { version: "1.0.1", key: true },
    { kind: "replace", pid: 7, why: "version" },
  ],
  [
    "the living one lacks the key",
    { ...living, key: false },
    { version: "1.0.0", key: true },
    { kind: "replace", pid: 7, why: "key" },
  ],
] as const)("%s", (_title, record, wanted, expected) => {
  expect(decideAdoption(record, wanted)).toEqual(expected);
});
