/**
 * The contract's part by chance: drawn sequences of batches, the same for every implementation, each outcome,
 * offset and read compared with the model's.
 */
import { randomUUID } from "node:crypto";
import { limits } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Operation, Outcome, PublishOutcome } from "../../../src/store/port.ts";
import { eventsOf, hello, newId, newTrial, publish, readAll, type Trial } from "./implementation.ts";
import { apply, newWorld, recordOf, type Verdict, type World } from "./model.ts";

/** The same sequences for every implementation. */
const seed = 20_261_121;
const generatedMsMax = 120_000;

/** An operation before it is known what the store holds: keys, producers and cursors by number. */
type Draft =
  | {
      readonly kind: "put";
      readonly key: number;
      readonly by: number;
      readonly item: number;
      readonly value: number;
      readonly otherHash: boolean;
      readonly after: number | undefined;
      readonly ending: "refuse" | "break" | "sql" | undefined;
    }
  | {
      readonly kind: "publish";
      readonly stream: number;
      readonly producer: number;
      readonly shift: number;
      readonly events: readonly string[];
      readonly generation: number | undefined;
    }
  | { readonly kind: "append"; readonly stream: number; readonly data: readonly unknown[]; readonly keyframe: boolean }
  | { readonly kind: "hello"; readonly agent: number; readonly process: number }
  | { readonly kind: "tell"; readonly agent: number; readonly texts: readonly string[] }
  | { readonly kind: "break" }
  | { readonly kind: "ack"; readonly agent: number; readonly back: number; readonly foreign: boolean }
  | { readonly kind: "renew"; readonly agent: number; readonly foreign: boolean };

const small = (max: number) => fc.integer({ min: 0, max });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 3 });
const eventName = fc.constantFrom("line", "line", "line", "poison", "claim", "nonsense", "large");

const draft: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      key: small(9),
      by: small(1),
      item: small(3),
      value: small(5),
      otherHash: fc.boolean(),
      after: maybe(small(9)),
      ending: maybe(fc.constantFrom("refuse" as const, "break" as const, "sql" as const)),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      stream: small(1),
      producer: small(1),
      shift: fc.integer({ min: -3, max: 2 }),
      events: fc.array(eventName, { maxLength: 4 }),
      generation: maybe(small(3)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      stream: small(2),
      data: fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }),
      keyframe: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hello" as const), agent: small(1), process: small(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("tell" as const),
      agent: small(1),
      texts: fc.array(fc.string({ unit: "binary" }), { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("break" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ack" as const),
      agent: small(1),
      back: fc.integer({ min: -1, max: 3 }),
      foreign: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("renew" as const), agent: small(1), foreign: fc.boolean() }) },
);
const batches = fc.array(fc.array(draft, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 10 });

export function generatedCases(trial: () => Trial, runs: number): void {
  describe("drawn sequences", () => {
    it("[RQ-1][RQ-4][PB-2][PB-5][OP-7][ST-1][ST-15] end as the model says, step by step", {
      timeout: generatedMsMax,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(batches, async (sequence) => {
          const run = newRun(newTrial(trial().store));
          for (const drafts of sequence) await step(run, drafts);
          await compareAll(run);
        }),
        { seed, numRuns: runs, endOnFailure: false },
      );
    });
  });
}

interface Run {
  readonly trial: Trial;
  readonly world: World;
  /** Ids of requests, producers and processes by their number. */
  readonly ids: ReadonlyMap<string, string>;
}

function newRun(trial: Trial): Run {
  const numbers = Array.from({ length: 10 }, (_value, index) => index);
  const ids = numbers.flatMap((n): [string, string][] => [
    // One key is too old, and stays so.
    [`key ${n}`, newId(n === 9 ? -limits.requestKeptMs : 0)],
    [`producer ${n}`, randomUUID()],
    [`process ${n}`, randomUUID()],
  ]);
  return { trial, world: newWorld(), ids: new Map(ids) };
}

async function step(run: Run, drafts: readonly Draft[]): Promise<void> {
  const { trial, world } = run;
  const batch = drafts.map((one) => toOperation(run, one));
  const before = new Map([...world.streams].map(([name, { epoch }]) => [name, epoch]));
  const heads = new Map([...world.streams].map(([name, { events }]) => [name, events.length]));
  const { outcomes, appended } = await trial.store.commit(batch);
  const expected = apply(world, batch, Date.now());
  expect(outcomes.map(toVerdict)).toEqual(expected);
  for (const { stream, offset, events } of appended) {
    expect([stream, offset]).toEqual([stream, (heads.get(stream) ?? 0) + 1]);
    const logged = world.streams.get(stream)?.events.slice(offset - 1);
    expect(events.map(({ event, json, keyframe }) => toModel(event, JSON.parse(json), keyframe))).toEqual(logged);
  }
  const grown = [...world.streams].filter(([name, { events }]) => events.length > (heads.get(name) ?? 0));
  expect(appended.map(({ stream }) => stream).sort()).toEqual(grown.map(([name]) => name).sort());
  await learnEpochs(run, before);
}

/** A renewed stream has another epoch than before; all others keep theirs. */
async function learnEpochs({ trial, world }: Run, before: ReadonlyMap<string, string | undefined>): Promise<void> {
  for (const [name, stream] of world.streams) {
    const position = await trial.store.position(trial.workspace, name);
    expect(position).toMatchObject({ head: stream.events.length, acknowledged: stream.acknowledged, trimmed: 0 });
    if (stream.epoch === undefined) {
      expect(position?.epoch).not.toBe(before.get(name));
      stream.epoch = position?.epoch;
    }
    expect(position?.epoch).toBe(stream.epoch);
  }
}

async function compareAll({ trial, world }: Run): Promise<void> {
  for (const [name, { events }] of world.streams) {
    const read = await readAll(trial, name);
    expect(read.map(({ event, data, keyframe }) => toModel(event, data, keyframe))).toEqual(events);
    const middle = Math.floor(events.length / 2);
    const run = await trial.store.read(trial.workspace, name, middle, 3, 100_000);
    expect(eventsOf(run)).toEqual(read.slice(middle, middle + 3));
  }
  const items = [...world.items]
    .map(([id, value]) => ({ id, value }))
    .sort((left, right) => (left.id < right.id ? -1 : 1));
  const { outcome } = await trial.store.query(trial.person("ada"), "item.list", {});
  expect(outcome).toEqual({ ok: true, value: { items } });
  if (world.streams.has("items"))
    expect(await trial.store.snapshot(trial.workspace, "items")).toMatchObject({ data: { items } });
}

const toModel = (event: string, data: unknown, keyframe: string | undefined) => ({
  event,
  data,
  ...(keyframe === undefined ? {} : { keyframe }),
});

function toVerdict(outcome: Outcome): Verdict {
  if (outcome.ok) {
    const rejected = (outcome.value as Partial<PublishOutcome> | null)?.rejected;
    if (rejected === undefined) return { ok: true, value: outcome.value };
    const named = rejected.map(({ sequence, error }) => ({ sequence, code: error.code }));
    return { ok: true, value: { ...(outcome.value as PublishOutcome), rejected: named } };
  }
  const { code, details } = outcome.error;
  return {
    ok: false,
    code,
    ...(details?.["reason"] === undefined ? {} : { reason: details["reason"] }),
    ...(details?.["expected"] === undefined ? {} : { expected: details["expected"] }),
  };
}

function toOperation({ trial, world, ids }: Run, one: Draft): Operation {
  const { workspace, person } = trial;
  const id = (name: string): string => ids.get(name) ?? name;
  const cursorEpoch = (stream: string, foreign: boolean): string =>
    foreign ? "foreign" : (world.streams.get(stream)?.epoch ?? "none");
  switch (one.kind) {
    case "put":
      return {
        kind: "request",
        caller: person(`person ${one.by}`),
        id: id(`key ${one.key}`),
        method: "item.put",
        params: {
          id: `item ${one.item}`,
          value: `${one.key} ${one.value}`,
          ...(one.ending === undefined ? {} : { ending: one.ending }),
        },
        hash: one.otherHash && one.value === 0 ? "other" : `hash of ${one.key}`,
        ...(one.after === undefined ? {} : { after: id(`key ${one.after}`) }),
      };
    case "publish": {
      const stream = `log/${one.stream}`;
      const producer = id(`producer ${one.producer}`);
      const sequence = recordOf(world, stream, producer).sequence + 1 + one.shift;
      const place = {
        stream,
        producer,
        by: "agent 0",
        ...(one.generation === undefined ? {} : { generation: one.generation }),
      };
      return publish(
        trial,
        place,
        sequence,
        one.events.map((name, index) => toEvent(name, `${sequence + index}`)),
      );
    }
    case "append":
      return {
        kind: "append",
        workspace,
        stream: `log/${one.stream}`,
        events: one.data.map((data) => ({ event: "noted", data, ...(one.keyframe ? { keyframe: "scope/1" } : {}) })),
      };
    case "hello":
      return hello(trial, `agent ${one.agent}`, id(`process ${one.process}`));
    case "tell":
      return { kind: "task", workspace, task: "contract.tell", input: { to: `agent ${one.agent}`, texts: one.texts } };
    case "break":
      return { kind: "task", workspace, task: "contract.break", input: null };
    case "ack": {
      const stream = `inbox/agent ${one.agent}`;
      const offset = Math.max(0, (world.streams.get(stream)?.events.length ?? 0) - one.back);
      return { kind: "ack", workspace, stream, cursor: { epoch: cursorEpoch(stream, one.foreign), offset } };
    }
    case "renew": {
      const stream = `inbox/agent ${one.agent}`;
      return { kind: "renew", workspace, stream, epoch: cursorEpoch(stream, one.foreign) };
    }
  }
}

function toEvent(name: string, text: string): unknown {
  if (name === "nonsense") return { nonsense: text };
  if (name === "large") return { event: "line", data: "x".repeat(limits.eventBytesMax) };
  if (name === "claim") return { event: "claim", data: { command: `command ${Number(text) % 3}` } };
  return { event: name, data: { text } };
}
