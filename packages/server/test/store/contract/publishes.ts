/** The contract's part on publishes: each event of a producer is decided once, poison never blocks (PB-1…PB-5). */
import { limits } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import type { Outcome, PublishOutcome } from "../../../src/store/port.ts";
import { codeOf, commitOne, hello, line, newId, publish, readAll, type Trial } from "./implementation.ts";

const textsOf = (events: readonly { data: unknown }[]): unknown[] =>
  events.map(({ data }) => (data as { text?: unknown }).text);
const rejectedOf = (outcome: Outcome): (readonly [number, string])[] =>
  outcome.ok ? (outcome.value as PublishOutcome).rejected.map(({ sequence, error }) => [sequence, error.code]) : [];

export function publishCases(trial: () => Trial): void {
  describe("publishes", () => {
    it("[PB-1] sequences count events, from 1, for each stream and producer", async () => {
      const here = trial();
      const [one, other] = [newId(), newId()];
      const { outcomes } = await here.store.commit([
        publish(here, { producer: one }, 1, [line("a"), line("b")]),
        publish(here, { producer: one }, 3, [line("c")]),
        publish(here, { producer: other }, 1, [line("d")]),
        publish(here, { producer: one, stream: "log/b" }, 1, [line("e")]),
        publish(here, { producer: one }, 0, [line("f")]),
      ]);
      expect(outcomes.map((outcome) => (outcome.ok ? outcome.value : outcome.error.code))).toMatchObject([
        { sequence: 2 },
        { sequence: 3 },
        { sequence: 1 },
        { sequence: 1 },
        "bad_message",
      ]);
      expect(textsOf(await readAll(here, "log/a"))).toEqual(["a", "b", "c", "d"]);
      expect(textsOf(await readAll(here, "log/b"))).toEqual(["e"]);
    });

    it("[PB-1] without events it asks for the record: 0 where there is none", async () => {
      const here = trial();
      const producer = newId();
      const ask = () => commitOne(here, publish(here, { producer }, 99, []));
      expect(await ask()).toEqual({ ok: true, value: { sequence: 0, rejected: [] } });
      await here.store.commit([publish(here, { producer }, 1, [line("a")])]);
      expect(await ask()).toEqual({ ok: true, value: { sequence: 1, rejected: [] } });
    });

    it("[PB-2] what is at or below the record is dropped, also in part", async () => {
      const here = trial();
      const producer = newId();
      await here.store.commit([publish(here, { producer }, 1, [line("a"), line("b")])]);
      const { outcomes, appended } = await here.store.commit([
        publish(here, { producer }, 1, [line("a"), line("b")]),
        publish(here, { producer }, 2, [line("b"), line("c")]),
      ]);
      expect(outcomes.map((outcome) => outcome.ok && outcome.value)).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
      expect(appended).toMatchObject([{ stream: "log/a", offset: 3, events: [{ event: "line" }] }]);
      expect(textsOf(await readAll(here, "log/a"))).toEqual(["a", "b", "c"]);
    });

    it("[PB-2] poison takes its sequence, is named, and named again to every repeat; it never blocks", async () => {
      const here = trial();
      const producer = newId();
      const events = [
        line("a"),
        { event: "poison", data: null },
        { nonsense: true },
        { event: "line", data: "x".repeat(limits.eventBytesMax + 1) },
        line("b"),
      ];
      const first = await commitOne(here, publish(here, { producer }, 1, events));
      expect(rejectedOf(first)).toEqual([
        [2, "invalid_params"],
        [3, "bad_message"],
        [4, "too_large"],
      ]);
      expect(await commitOne(here, publish(here, { producer }, 1, events))).toEqual(first);
      expect(rejectedOf(await commitOne(here, publish(here, { producer }, 3, events.slice(2))))).toHaveLength(2);
      expect(textsOf(await readAll(here, "log/a"))).toEqual(["a", "b"]);
    });

    it("[PB-2] rejections of several publishes are all kept, and each repeat is told those from its sequence on", async () => {
      const here = trial();
      const producer = newId();
      const poison = [{ event: "poison", data: null }];
      for (const sequence of [1, 2, 3]) await here.store.commit([publish(here, { producer }, sequence, poison)]);
      const ask = (sequence: number, events: readonly unknown[]) =>
        commitOne(here, publish(here, { producer }, sequence, events));
      expect(rejectedOf(await ask(0, []))).toHaveLength(3);
      expect(rejectedOf(await ask(2, [...poison, ...poison])).map(([sequence]) => sequence)).toEqual([2, 3]);
      expect(rejectedOf(await ask(3, [...poison, line("a")])).map(([sequence]) => sequence)).toEqual([3]);
    });

    it("[PB-3] a gap and a refusal record nothing; the gap says what is expected", async () => {
      const here = trial();
      const producer = newId();
      const { outcomes } = await here.store.commit([
        publish(here, { producer }, 1, [line("a")]),
        publish(here, { producer }, 3, [line("c")]),
        publish(here, { producer, generation: 7 }, 2, [line("b")]),
      ]);
      expect(outcomes.map(codeOf)).toEqual(["ok", "sequence_gap", "fenced"]);
      expect(outcomes[1]).toMatchObject({ error: { retryable: true, details: { expected: 2 } } });
      expect(await commitOne(here, publish(here, { producer }, 0, []))).toMatchObject({ value: { sequence: 1 } });
      expect(await readAll(here, "log/a")).toHaveLength(1);
    });

    it("[PB-5] a claim is accepted once, whoever else claims in the same batch or later", async () => {
      const here = trial();
      const claim = (by: string) =>
        publish(here, { producer: newId(), by }, 1, [{ event: "claim", data: { command: "c1" } }]);
      const { outcomes } = await here.store.commit([claim("a"), claim("b")]);
      expect([...outcomes, await commitOne(here, claim("c"))].map(rejectedOf)).toEqual([
        [],
        [[1, "conflict"]],
        [[1, "conflict"]],
      ]);
      expect(await readAll(here, "log/a")).toHaveLength(1);
    });

    it("[OP-7] the generation is compared in the publish's own transaction: the batch that raises it fences what follows in it", async () => {
      const here = trial();
      const [old, young] = [newId(), newId()];
      const place = (generation: number) => ({ producer: newId(), by: "agent", generation });
      const { outcomes } = await here.store.commit([
        hello(here, "agent", old),
        publish(here, place(1), 1, [line("of the first")]),
        hello(here, "agent", young),
        publish(here, place(1), 1, [line("too late")]),
        publish(here, place(2), 1, [line("of the second")]),
        hello(here, "agent", old),
      ]);
      expect(outcomes.map(codeOf)).toEqual(["ok", "ok", "ok", "fenced", "ok", "ok"]);
      expect(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []))).toMatchObject([
        { identity: { generation: 1 } },
        {},
        { identity: { generation: 2 } },
        {},
        { identity: { generation: 1 } },
      ]);
      expect(textsOf(await readAll(here, "log/a"))).toEqual(["of the first", "of the second"]);
    });
  });
}
