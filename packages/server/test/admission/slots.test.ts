/** Promised slots and the law behind every `retryAfter` (CL-4, AD-3). */
import { describe, expect, it } from "vitest";
import { createRetryLaw } from "../../src/admission/retryLaw.ts";
import { createSlots, honouredMs } from "../../src/admission/slots.ts";

const key = new Uint8Array(32).fill(7);
const now = 1_780_000_000_000;

describe("the law of coming back", () => {
  it("[CL-4] max(now, last) + 1/budget, whoever is refused", () => {
    const law = createRetryLaw(500);
    expect([law.next(0), law.next(0), law.next(0)]).toEqual([2, 4, 6]);
    expect(law.next(1_000)).toBe(2);
    expect(law.next(1_000, 5_000)).toBe(5_004);
    expect(law.next(1_000)).toBe(6);
  });

  it("[CL-4] in no second more than the budget, of ten thousand refused at once; never beyond 300 s", () => {
    const law = createRetryLaw(500);
    const times = Array.from({ length: 10_000 }, () => law.next(0));
    const busiest = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
    expect(busiest).toBe(500);
    expect(Math.max(...times)).toBe(20_000);
    for (let more = 0; more < 200_000; more += 1) law.next(0);
    expect(law.next(0)).toBe(300_000);
  });
});

describe("a socket that finds no place (AD-3)", () => {
  it("[AD-3][CL-4] is told a time and takes none: what is promised to others does not move", () => {
    const law = createRetryLaw(500);
    law.next(0);
    for (let refused = 0; refused < 10_000; refused += 1) expect(law.peek(0)).toBe(4);
    expect(law.next(0)).toBe(4);
  });
});

describe("a slot", () => {
  it.each([
    // Nobody is promised a later time: a clock was set back since.
    [-300_001, { kind: "none" }],
    [-300_000, { kind: "early", retryAfterMs: 300_000 }],
    [-20_000, { kind: "early", retryAfterMs: 20_000 }],
    [-251, { kind: "early", retryAfterMs: 251 }],
    // A client's timer may be a little early.
    [-250, { kind: "due" }],
    [0, { kind: "due" }],
    [honouredMs, { kind: "due" }],
    [honouredMs + 1, { kind: "none" }],
  ])("[AD-3] read %i ms after it is due is %j, also by a node that has just started", (after, reading) => {
    const slot = createSlots(key).sign(now);
    expect(createSlots(key).read(slot, now + after)).toEqual(reading);
  });

  it("[T8] [AD-3] is worth nothing unless this deployment signed it, and begins one opening", () => {
    const slots = createSlots(key);
    const slot = slots.sign(now);
    const [due, count, signature] = slot.split(".");
    const forged = [
      undefined,
      "",
      "x",
      `${now.toString(36)}.1.${"A".repeat(22)}`,
      `${(now - 1_000).toString(36)}.${count}.${signature}`,
      `${due}.9.${signature}`,
      `${due}.${count}.${signature?.slice(0, -2)}`,
      `${slot}.${signature}`,
      createSlots(new Uint8Array(32)).sign(now),
      "\u0000".repeat(1_000),
    ];
    expect(forged.map((one) => slots.read(one, now).kind)).toEqual(forged.map(() => "none"));
    expect(slots.read(slot, now)).toEqual({ kind: "due" });
    slots.spend(slot);
    expect(slots.read(slot, now)).toEqual({ kind: "none" });
    // What is due in the same millisecond is another slot.
    expect(slots.read(slots.sign(now), now)).toEqual({ kind: "due" });
  });

  it("remembers a bounded number of spent ones", () => {
    const slots = createSlots(key);
    const first = slots.sign(now);
    slots.spend(first);
    for (let spent = 0; spent < 50_000; spent += 1) slots.spend(`other ${spent}`);
    expect(slots.read(first, now).kind).toBe("due");
  });
});
