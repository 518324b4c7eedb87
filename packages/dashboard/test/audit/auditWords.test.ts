/** Seen red: with a hostile name as it is, with a method's name looked up along the prototype, with a refusal told as done. */
import type { AuditEntry } from "@holdfast/protocol/schema";
import { expect, it } from "vitest";
import { deedText, factsOf } from "../../src/features/audit/auditWords.ts";

const entry: AuditEntry = {
  offset: 7,
  at: 0,
  by: { id: "owner", name: "Owner", role: "admin" },
  action: "user.setRole",
  object: { type: "user", id: "user-1" },
  about: { name: "Ada", role: "operator", before: "viewer" },
  given: ["note"],
  from: { address: "192.0.2.7", connection: "c-1" },
};

it.each<[string, Partial<AuditEntry>]>([
  ["made Ada operator, before: viewer", {}],
  ["tried to change a role: conflict", { refused: "conflict", about: {} }],
  ["removed user-1", { action: "user.remove", about: {} }],
  ["changed model, key of an assistant", { action: "assistant.change", about: { model: "m" }, given: ["key"] }],
  ["set the log of store to debug", { action: "log.setLevel", about: { room: "store", level: "debug" } }],
  ["set the log to warn", { action: "log.setLevel", about: { room: "*", level: "warn" } }],
  ["called board.clear", { action: "board.clear" }],
  ["called toString", { action: "toString" }],
  ["tried to call board.clear: forbidden", { action: "board.clear", refused: "forbidden" }],
  ["removed ⟨202E⟩Ada␛[2J", { action: "user.remove", about: { name: "\u202eAda\u001b[2J" } }],
])("says: %s", (text, change) => {
  expect(deedText({ ...entry, ...change })).toBe(text);
});

it("[O6] shows all of an entry when it is opened, and nothing that hides", () => {
  const facts = new Map(factsOf({ ...entry, about: { "na\u200bme": "A\u202eda", times: 3 } }));
  expect(facts.get("Who")).toBe("Owner (owner), admin");
  expect(facts.get("On")).toBe("user user-1");
  expect(facts.get("Na⟨200B⟩me")).toBe("A⟨202E⟩da");
  expect(facts.get("Times")).toBe("3");
  expect(facts.get("Also given")).toBe("note");
  expect(facts.get("Address")).toBe("192.0.2.7");
  expect(facts.has("Refused")).toBe(false);
});
