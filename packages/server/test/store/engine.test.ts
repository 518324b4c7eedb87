/** The engine: batches, savepoints, stored answers, publishes. */
import { limits, uuidv7 } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { requestsKeptMs } from "../../src/store/lifetimes.ts";
import type { Operation, Outcome, PublishOutcome } from "../../src/store/port.ts";
import { openEngine } from "../support/engine.ts";
import { ada, newId } from "../support/principals.ts";

const add = (
  text: string,
  extras: { id?: string; hash?: string; after?: string; deadline?: number } = {},
): Operation => ({
  kind: "request",
  caller: ada,
  id: extras.id ?? newId(),
  method: "note.add",
  params: { text },
  hash: extras.hash ?? text,
  ...(extras.after === undefined ? {} : { after: extras.after }),
  ...(extras.deadline === undefined ? {} : { deadline: extras.deadline }),
});
const producer = newId();
const publish = (sequence: number, events: readonly unknown[], generation?: number): Operation => ({
  kind: "publish",
  caller: ada,
  stream: "log/a",
  producer,
  sequence,
  events,
  ...(generation === undefined ? {} : { generation }),
});
const line = (text: string) => ({ event: "line", data: { text } });
const codeOf = (outcome: Outcome | undefined): string => (outcome?.ok === false ? outcome.error.code : "ok");

describe("a batch", () => {
  it("[RQ-2] commits state, events and answers together, with contiguous offsets", async () => {
    const { engine } = await openEngine();
    const result = await engine.commit([add("one"), add("two")]);
    expect(result.outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    expect(result.appended).toMatchObject([
      { stream: "notes", offset: 1, events: [{ event: "note.added" }, { event: "note.added" }] },
    ]);
    const again = await engine.commit([add("three")]);
    expect(again.appended[0]).toMatchObject({ offset: 3, epoch: result.appended[0]?.epoch });
    expect((await engine.read("default", "notes", 0, 10, 1_000_000)).events.map((event) => event.json)).toEqual([
      '{"text":"one"}',
      '{"text":"two"}',
      '{"text":"three"}',
    ]);
  });

  it("[F72] an operation that fails undoes itself only, and says so with a ref", async () => {
    const { engine, dialect } = await openEngine();
    const result = await engine.commit([add("one"), add("break"), add("refuse"), add("two")]);
    expect(result.outcomes.map(codeOf)).toEqual(["ok", "internal", "conflict", "ok"]);
    expect(result.faults).toHaveLength(1);
    expect(result.outcomes[1]).toMatchObject({ error: { details: { ref: result.faults[0]?.ref } } });
    expect((await dialect.position("default", "notes"))?.head).toBe(2);
    const list = await engine.query(ada, "note.list", {});
    expect(list.outcome).toMatchObject({ value: { items: [{ text: "one" }, { text: "two" }] } });
  });

  it("[ST-9] a snapshot is the state exactly at its offset", async () => {
    const { engine } = await openEngine();
    await engine.commit([add("one"), add("two")]);
    expect(await engine.snapshot("default", "notes")).toMatchObject({
      position: { head: 2 },
      data: { notes: [{ text: "one" }, { text: "two" }] },
    });
  });
});

describe("stored answers", () => {
  it("[RQ-1] a repeat gets the first answer, with no second effect", async () => {
    const { engine, dialect } = await openEngine();
    const id = newId();
    const results = [await engine.commit([add("one", { id })]), await engine.commit([add("one", { id })])];
    expect(results.map(({ outcomes }) => outcomes[0])).toEqual([
      { ok: true, value: { text: "one" } },
      { ok: true, value: { text: "one" } },
    ]);
    expect((await dialect.position("default", "notes"))?.head).toBe(1);
  });

  it("[RQ-1] a repeat within the same batch is one effect too", async () => {
    const { engine } = await openEngine();
    const id = newId();
    const result = await engine.commit([add("one", { id }), add("one", { id })]);
    expect(result.outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    expect(result.appended[0]?.events).toHaveLength(1);
  });

  it("[RQ-1] a final error is the answer to every repeat; the same key with other params is a conflict that is not stored", async () => {
    const { engine } = await openEngine();
    const id = newId();
    const first = await engine.commit([add("refuse", { id })]);
    expect(await engine.commit([add("refuse", { id })])).toMatchObject({ outcomes: first.outcomes });
    const reused = await engine.commit([add("other", { id })]);
    expect(reused.outcomes[0]).toMatchObject({
      error: { code: "conflict", retryable: false, details: { reason: "reused" } },
    });
    expect(await engine.commit([add("refuse", { id })])).toMatchObject({ outcomes: first.outcomes });
  });

  it("[RQ-1] an internal error is not stored: the repeat runs again", async () => {
    const { engine } = await openEngine();
    const id = newId();
    expect((await engine.commit([add("break", { id })])).outcomes.map(codeOf)).toEqual(["internal"]);
    expect((await engine.commit([add("break", { id })])).faults).toHaveLength(1);
  });

  it.each([
    ["23 h and a minute old", -limits.requestIdAgeMsMax - 60_000, "expired"],
    ["almost 23 h old", -limits.requestIdAgeMsMax + 60_000, "ok"],
    ["4 min ahead", 4 * 60_000, "ok"],
    ["6 min ahead", 6 * 60_000, "expired"],
  ])("[RQ-1] an id %s is judged", async (_title, aheadMs, expected) => {
    const { engine } = await openEngine();
    const id = uuidv7(Date.now() + aheadMs, new Uint8Array(10));
    expect((await engine.commit([add("one", { id })])).outcomes.map(codeOf)).toEqual([expected]);
  });

  it("[RQ-1] an answer is stored without its secret, and removed only after a day", async () => {
    let now = Date.now();
    const { engine } = await openEngine(undefined, () => now);
    const request = (id: string): Operation => ({
      kind: "request",
      caller: ada,
      id,
      method: "key.make",
      params: {},
      hash: "k",
    });
    const id = uuidv7(now, new Uint8Array(10));
    expect((await engine.commit([request(id)])).outcomes[0]).toEqual({
      ok: true,
      value: { name: "k", secret: "hfk_1" },
    });
    expect((await engine.commit([request(id)])).outcomes[0]).toEqual({ ok: true, value: { name: "k" } });
    now += 23 * 3_600_000;
    await engine.commit([{ kind: "retain", step: { of: "requests", keptMs: requestsKeptMs } }]);
    expect((await engine.commit([request(id)])).outcomes[0]).toEqual({ ok: true, value: { name: "k" } });
    now += 2 * 3_600_000;
    await engine.commit([{ kind: "retain", step: { of: "requests", keptMs: requestsKeptMs } }]);
    expect((await engine.commit([request(id)])).outcomes.map(codeOf)).toEqual(["expired"]);
  });

  it("[RQ-3] a request is not begun after its deadline", async () => {
    const { engine } = await openEngine();
    expect((await engine.commit([add("one", { deadline: Date.now() - 1 })])).outcomes.map(codeOf)).toEqual(["expired"]);
  });

  it("[RQ-4] a request runs only after a stored result of the one that it names", async () => {
    const { engine } = await openEngine();
    const [first, second] = [newId(), newId()];
    const early = await engine.commit([add("two", { id: second, after: first })]);
    expect(early.outcomes[0]).toMatchObject({
      error: { code: "conflict", retryable: true, details: { reason: "after" } },
    });
    const both = await engine.commit([add("one", { id: first }), add("two", { id: second, after: first })]);
    expect(both.outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    const failed = newId();
    const behind = await engine.commit([add("refuse", { id: failed }), add("three", { after: failed })]);
    expect(behind.outcomes[1]).toMatchObject({
      error: { code: "conflict", retryable: false, details: { reason: "after_failed" } },
    });
  });
});

describe("publishes", () => {
  it("[PB-1][PB-2] counts events, drops repeats, refuses gaps", async () => {
    const { engine } = await openEngine();
    const result = await engine.commit([
      publish(1, [line("a"), line("b")]),
      publish(2, [line("b"), line("c")]),
      publish(5, [line("e")]),
    ]);
    expect(result.outcomes[0]).toMatchObject({ value: { sequence: 2 } });
    expect(result.outcomes[1]).toMatchObject({ value: { sequence: 3 } });
    expect(result.outcomes[2]).toMatchObject({
      error: { code: "sequence_gap", retryable: true, details: { expected: 4 } },
    });
    expect((await engine.read("default", "log/a", 0, 10, 1_000_000)).events.map((event) => event.json)).toEqual([
      '{"text":"a"}',
      '{"text":"b"}',
      '{"text":"c"}',
    ]);
    expect((await engine.commit([publish(0, [])])).outcomes[0]).toMatchObject({ value: { sequence: 3, rejected: [] } });
  });

  it("[PB-2] poison consumes its sequence, is named, and named again to a repeat; it never blocks", async () => {
    const { engine } = await openEngine();
    const events = [
      line("a"),
      { event: "poison", data: null },
      { nonsense: true },
      { event: "line", data: "x".repeat(limits.eventBytesMax + 1) },
      line("b"),
    ];
    const first = (await engine.commit([publish(1, events)])).outcomes[0];
    const rejected = first?.ok === true ? (first.value as PublishOutcome).rejected : [];
    expect(rejected.map(({ sequence, error }) => [sequence, error.code])).toEqual([
      [2, "invalid_params"],
      [3, "bad_message"],
      [4, "too_large"],
    ]);
    expect((await engine.commit([publish(1, events)])).outcomes[0]).toEqual(first);
  });

  it("[PB-3] a refusal records nothing", async () => {
    const { engine } = await openEngine();
    expect((await engine.commit([publish(1, [line("a")], 1)])).outcomes.map(codeOf)).toEqual(["fenced"]);
    expect((await engine.commit([publish(1, [line("a")], 2)])).outcomes[0]).toMatchObject({ value: { sequence: 1 } });
  });
});
