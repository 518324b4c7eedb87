/** The judge over streams: each invariant passes a good history and names the breach in a fabricated bad one. */
import { describe, expect, test } from "vitest";
import type { Observation, Observed } from "../src/judge/observation.ts";
import { appended, breachOf, deliveries, log, opened, passes, workspace } from "./support/histories.ts";

const reading: readonly Observation[] = [...appended(1, 5), opened("r"), ...deliveries("r", 1, 5)];

/** A rolled-up event over `offset` … `through`, as it must read. */
const joined = (reader: string, offset: number, through: number): Observed<"delivered"> => ({
  kind: "delivered",
  at: 9,
  reader,
  epoch: "e1",
  offset,
  through,
  content: Array.from({ length: through - offset + 1 }, (_, index) => `<${offset + index}>`).join(""),
});

const epochBegan = (epoch: string, head: number): Observation => ({
  kind: "epochBegan",
  at: 9,
  workspace,
  stream: log,
  epoch,
  head,
});
const rolledBack = (head: number): Observation => ({ kind: "rolledBack", at: 9, workspace, stream: log, head });
const removed = (offset: number, through: number): Observation => ({
  kind: "removed",
  at: 9,
  workspace,
  stream: log,
  offset,
  through,
});
const reset = (reason: "epoch" | "trimmed"): Observation => ({ kind: "resetTold", at: 9, reader: "r", reason });
const snapshot = (offset: number, state?: string): Observation => ({
  kind: "snapshotTold",
  at: 9,
  reader: "r",
  epoch: "e1",
  offset,
  ...(state === undefined ? {} : { state }),
});
const skipped = (offset: number, through: number, why: "retention" | "application" = "retention"): Observation => ({
  kind: "passedOver",
  at: 9,
  reader: "r",
  epoch: "e1",
  offset,
  through,
  why,
});
const positioned = (offset: number): Observation => ({ kind: "positioned", at: 9, reader: "r", epoch: "e1", offset });
const stored = (offset: number): Observation => ({
  kind: "stored",
  at: 9,
  reader: "r",
  name: "kept",
  epoch: "e1",
  offset,
});

describe("I1: what a reader applies is a contiguous run of the log", () => {
  test("good: from the start, from a cursor, rolled up, and live", () => {
    passes(reading);
    passes([...appended(1, 5), opened("r", { epoch: "e1", offset: 3 }), ...deliveries("r", 4, 5)]);
    passes([...appended(1, 5), opened("r"), joined("r", 1, 4), ...deliveries("r", 5, 5)]);
    passes([opened("r"), ...appended(1, 1), ...deliveries("r", 1, 1), ...appended(2, 2), ...deliveries("r", 2, 2)]);
  });
  test("bad: a hole", () => {
    expect(breachOf([...appended(1, 5), opened("r"), ...deliveries("r", 1, 2), ...deliveries("r", 4, 5)])).toEqual({
      invariant: "I1",
      harm: "silentGaps",
    });
  });
  test("bad: an event before the cursor is missing at the very beginning", () => {
    expect(breachOf([...appended(1, 5), opened("r"), ...deliveries("r", 2, 5)])).toEqual({
      invariant: "I1",
      harm: "silentGaps",
    });
  });
  test("bad: a repeat, and a rolled-up range that holds the cursor", () => {
    expect(breachOf([...reading, ...deliveries("r", 5, 5)])).toEqual({ invariant: "REL-I4", harm: "repeated" });
    expect(breachOf([...appended(1, 5), opened("r"), ...deliveries("r", 1, 2), joined("r", 2, 4)])).toEqual({
      invariant: "REL-I4",
      harm: "repeated",
    });
  });
  test("bad: a late event is reordered, where breaches are counted", () => {
    const history = [
      ...appended(1, 5),
      opened("r"),
      ...deliveries("r", 1, 1),
      ...deliveries("r", 3, 3),
      ...deliveries("r", 2, 2),
    ];
    expect(breachOf(history, { counting: true }).all).toEqual(["silentGaps", "reordered"]);
  });
  test("bad: what is not durable, or reads otherwise than the log", () => {
    expect(breachOf([...appended(1, 2), opened("r"), ...deliveries("r", 1, 3)])).toEqual({
      invariant: "REL-I2",
      harm: "phantom",
    });
    const swapped: Observation = { kind: "delivered", at: 9, reader: "r", epoch: "e1", offset: 1, content: "<2>" };
    expect(breachOf([...appended(1, 2), opened("r"), swapped])).toEqual({ invariant: "REL-I5", harm: "reordered" });
    const made: Observation = { ...swapped, content: "<made up>" };
    expect(breachOf([...appended(1, 2), opened("r"), made])).toEqual({ invariant: "REL-I2", harm: "phantom" });
    const wrong: Observation = { ...joined("r", 1, 3), content: "<1><3>" };
    expect(breachOf([...appended(1, 5), opened("r"), wrong])).toEqual({ invariant: "REL-I2", harm: "phantom" });
  });
  test("bad: a reader's name that is used again", () => {
    expect(breachOf([...appended(1, 1), opened("r"), opened("r")]).invariant).toBe("I1");
  });
  test("bad: what comes after the reader was closed", () => {
    const closed: Observation = { kind: "readerClosed", at: 9, reader: "r" };
    expect(breachOf([...appended(1, 5), opened("r"), closed, ...deliveries("r", 1, 1)]).invariant).toBe("I1");
  });
});

describe("I1: a jump must be told, and be justified", () => {
  test("good: a new epoch, told", () => {
    passes([...reading, epochBegan("e2", 5), reset("epoch"), ...appended(6, 6, "e2"), ...deliveries("r", 6, 6, "e2")]);
  });
  test("bad: a new epoch that is not told", () => {
    expect(
      breachOf([...reading, epochBegan("e2", 5), ...appended(6, 6, "e2"), ...deliveries("r", 6, 6, "e2")]),
    ).toEqual({ invariant: "I1", harm: "silentGaps" });
  });
  test("bad: a reset without cause", () => {
    expect(breachOf([...reading, reset("epoch")]).invariant).toBe("REL-I3");
    expect(breachOf([...reading, ...appended(6, 6), reset("trimmed")]).invariant).toBe("REL-I3");
  });
  test("good: what retention removed is passed over, or resets", () => {
    const start = [...appended(1, 5), removed(2, 3), opened("r"), ...deliveries("r", 1, 1)];
    passes([...start, skipped(2, 3), ...deliveries("r", 4, 5)]);
    passes([...start, reset("trimmed"), positioned(5)]);
    passes([...appended(1, 5), removed(1, 2), opened("r"), ...deliveries("r", 3, 5)]);
  });
  test("a removed beginning must be told, also to whoever has read some of it", () => {
    const read = [...appended(1, 5), opened("r", { epoch: "e1", offset: 1 }), ...deliveries("r", 2, 2)];
    expect(breachOf([...read, removed(1, 4), skipped(3, 4), ...deliveries("r", 5, 5)]).invariant).toBe("REL-I3");
    // A keyframe stood for it when the beginning went, while all of that was under way.
    passes([...read, removed(3, 4), removed(1, 5), skipped(3, 4), ...deliveries("r", 5, 5)]);
    expect(breachOf([...read, removed(4, 4), removed(1, 5), skipped(3, 4)]).invariant).toBe("REL-I3");
  });
  test("bad: passing over what retention left", () => {
    const start = [...appended(1, 5), removed(2, 3), opened("r"), ...deliveries("r", 1, 1)];
    expect(breachOf([...start, skipped(2, 4)])).toEqual({ invariant: "I1", harm: "silentGaps" });
    expect(breachOf([...start, ...deliveries("r", 4, 5)])).toEqual({ invariant: "I1", harm: "silentGaps" });
  });
  test("bad: passing over what does not follow the cursor", () => {
    const start = [...appended(1, 5), removed(2, 4), opened("r"), ...deliveries("r", 1, 1)];
    expect(breachOf([...start, skipped(3, 4)])).toEqual({ invariant: "I1", harm: "silentGaps" });
    expect(breachOf([...start, skipped(2, 4), skipped(3, 4)])).toEqual({ invariant: "I1", harm: "repeated" });
  });
  test("bad: a cursor beyond the head, or past events that it was never given", () => {
    expect(breachOf([...appended(1, 5), opened("r", "latest"), positioned(6)])).toEqual({
      invariant: "I1",
      harm: "phantom",
    });
    expect(breachOf([...appended(1, 5), opened("r"), positioned(5)])).toEqual({ invariant: "I1", harm: "silentGaps" });
  });
  test("good: the application skips an event that it cannot take (ST-6)", () => {
    passes([
      ...appended(1, 5),
      opened("r"),
      ...deliveries("r", 1, 1),
      skipped(2, 2, "application"),
      ...deliveries("r", 3, 5),
    ]);
  });
  test("bad: a snapshot behind the cursor, or of what is not durable", () => {
    expect(breachOf([...reading, snapshot(3)])).toEqual({ invariant: "REL-I4", harm: "repeated" });
    expect(breachOf([...reading, snapshot(6)])).toEqual({ invariant: "REL-I2", harm: "phantom" });
  });
});

describe("REL-I9, ST-15: a rolled-back store", () => {
  const back = [...reading, rolledBack(3)];
  test("good: the reader is told, then reads the new history", () => {
    passes([...back, epochBegan("e2", 3), ...appended(4, 4, "e2"), reset("epoch"), ...deliveries("r", 1, 4, "e2")]);
  });
  test("good: what was under way when the store lost it", () => {
    passes([...appended(1, 5), opened("r"), rolledBack(3), ...deliveries("r", 1, 5), reset("epoch"), positioned(3)]);
  });
  test("bad: a reader ahead of the store reads on", () => {
    expect(breachOf([...back, ...appended(4, 6), ...deliveries("r", 6, 6)])).toEqual({
      invariant: "I1",
      harm: "silentGaps",
    });
  });
  test("bad: an offset used twice, an epoch that comes back", () => {
    expect(breachOf([...appended(1, 3), ...appended(3, 3)])).toEqual({ invariant: "REL-I9", harm: "reordered" });
    expect(breachOf([...appended(1, 3), ...appended(5, 5)])).toEqual({ invariant: "REL-I9", harm: "silentGaps" });
    expect(breachOf([...appended(1, 3), epochBegan("e2", 3), epochBegan("e1", 3)]).invariant).toBe("REL-I9");
    expect(breachOf([...appended(1, 3), ...appended(4, 4, "e2")]).invariant).toBe("REL-I9");
    expect(breachOf([...appended(1, 3), epochBegan("e2", 4)]).invariant).toBe("REL-I9");
  });
});

describe("ST-6: cursor and state are kept together", () => {
  test("good: a reload reads on from what was kept", () => {
    passes([
      ...appended(1, 5),
      opened("r"),
      ...deliveries("r", 1, 3),
      stored(3),
      { kind: "readerClosed", at: 9, reader: "r" },
      opened("r2", { epoch: "e1", offset: 3 }, "kept"),
      ...deliveries("r2", 4, 5),
    ]);
  });
  test("bad: a cursor before, or after, its state", () => {
    expect(breachOf([...reading, stored(4)])).toEqual({ invariant: "I1", harm: "repeated" });
    expect(breachOf([...reading, stored(6)])).toEqual({ invariant: "I1", harm: "lost" });
    expect(breachOf([...reading, positioned(4)])).toEqual({ invariant: "I1", harm: "repeated" });
  });
  test("bad: a reload from another place than was kept", () => {
    const start = [...appended(1, 5), opened("r"), ...deliveries("r", 1, 3), stored(3)];
    expect(breachOf([...start, opened("r2", { epoch: "e1", offset: 4 }, "kept")])).toEqual({
      invariant: "I1",
      harm: "lost",
    });
    expect(breachOf([...start, opened("r2", { epoch: "e1", offset: 2 }, "kept")])).toEqual({
      invariant: "I1",
      harm: "repeated",
    });
  });
});

describe("REL-I18: what is shown is the fold of the log", () => {
  const foldOf = () => ({ initial: "0", next: (state: string) => String(Number(state) + 1) });
  const shown = (state: string): Observation => ({
    kind: "shown",
    at: 9,
    reader: "r",
    epoch: "e1",
    offset: 5,
    state,
  });
  test("good", () => {
    passes([...appended(1, 5), opened("r", "latest"), snapshot(5, "5"), shown("5")], { judge: { foldOf } });
  });
  test("bad: a snapshot of another moment, a page that shows less", () => {
    expect(
      breachOf([...appended(1, 5), opened("r", "latest"), snapshot(4, "5")], { judge: { foldOf } }).invariant,
    ).toBe("REL-I18");
    expect(breachOf([...reading, shown("4")], { judge: { foldOf } }).invariant).toBe("REL-I18");
  });
});

test("I7: nothing of another workspace", () => {
  const tainted = (taint: string): Observation => ({
    kind: "delivered",
    at: 9,
    reader: "r",
    epoch: "e1",
    offset: 1,
    content: "<1>",
    taint,
  });
  passes([...appended(1, 1), opened("r"), tainted(workspace)]);
  expect(breachOf([...appended(1, 1), opened("r"), tainted("theirs")]).invariant).toBe("I7");
});

test("REL-I14: nothing after authority ended", () => {
  const authorised: Observation = { kind: "authorised", at: 0, client: "c", until: 10_000 };
  const late = (at: number): Observation => ({
    kind: "delivered",
    at,
    reader: "r",
    epoch: "e1",
    offset: 1,
    content: "<1>",
  });
  passes([...appended(1, 1), opened("r"), authorised, late(60_000)]);
  expect(breachOf([...appended(1, 1), opened("r"), authorised, late(70_001)]).invariant).toBe("REL-I14");
  const revoked: Observation = { kind: "revoked", at: 5, client: "c", graceMs: 1_000 };
  expect(breachOf([...appended(1, 1), opened("r"), revoked, late(1_006)]).invariant).toBe("REL-I14");
  const asked = (at: number): readonly Observation[] => [
    { kind: "requestIssued", at, request: "a", client: "c" },
    { kind: "effectCommitted", at: at + 10, request: "a" },
    { kind: "requestSettled", at: at + 20, request: "a", outcome: "result" },
  ];
  passes([authorised, ...asked(19_000)]);
  expect(breachOf([authorised, ...asked(21_000)]).invariant).toBe("REL-I14");
  const [issued, ...done] = asked(21_000);
  passes([authorised, issued as Observation, { ...authorised, at: 21_005, until: 99_000 }, ...done]);
});

describe("I10: after faults everything converges", () => {
  const live: Observation = { kind: "clientState", at: 9, client: "c", state: "live" };
  test("good: at the head, refused, or gone", () => {
    passes([...reading, live]);
    passes([...appended(1, 5), opened("r"), { kind: "readerRefused", at: 9, reader: "r" }]);
    passes([...appended(1, 5), opened("r"), { kind: "clientEnded", at: 9, client: "c" }]);
    passes([...appended(1, 5), opened("r"), { ...live, state: "stopped" }]);
  });
  test("bad: behind the head, or still waiting", () => {
    expect(breachOf([...appended(1, 5), opened("r"), ...deliveries("r", 1, 4)])).toEqual({
      invariant: "I10",
      harm: "lost",
    });
    expect(breachOf([...reading, { ...live, state: "waiting" }]).invariant).toBe("I10");
    expect(breachOf([...appended(1, 5), opened("r", "latest")])).toEqual({ invariant: "I10", harm: "lost" });
  });
  test("while faults act, nobody needs to be there", () => {
    passes([...appended(1, 5), opened("r"), ...deliveries("r", 1, 4)], { isHealed: false });
  });
});
