/** The contract's part on what is removed, and on the small writes of a node's own (ST-10, RQ-1, AD-2). */
import { describe, expect, it } from "vitest";
import { defaultLifetimes } from "../../../src/store/lifetimes.ts";
import type { Operation, Retained, RetainStep } from "../../../src/store/port.ts";
import { commitOne, eventsOf, newId, publish, put, type Trial } from "./implementation.ts";

/** Younger than nothing: all is past its time. */
const atOnceMs = -60_000;
const stepsMax = 1_000;

async function step(here: Trial, one: RetainStep): Promise<Retained> {
  const outcome = await commitOne(here, { kind: "retain", step: one });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value as Retained;
}

/** Through all streams of the store, also those of other trials, which are over. */
async function retainAll(here: Trial, only?: "replaced"): Promise<number> {
  const lifetimes = { ...defaultLifetimes, workMs: atOnceMs, acknowledgedMs: atOnceMs };
  let removed = 0;
  let from = { stream: 0, offset: 0 };
  for (let count = 0; count < stepsMax; count += 1) {
    const done = await step(here, { of: "events", from, lifetimes, ...(only === undefined ? {} : { only }) });
    removed += done.removed;
    if (done.next === undefined) return removed;
    from = done.next;
  }
  throw new Error(`retention did not end in ${stepsMax} steps`);
}

const append = ({ workspace }: Trial, stream: string, events: readonly Record<string, unknown>[]): Operation => ({
  kind: "append",
  workspace,
  stream,
  events: events.map((event) => ({ event: "drawn", data: "x", ...event })),
});

export function retainCases(trial: () => Trial): void {
  describe("what is removed", () => {
    it("[ST-10] what is past its time goes from the beginning on; a read names the hole, and offsets go on", async () => {
      const here = trial();
      await here.store.commit([append(here, "work/a", [{}, {}, {}]), append(here, "log/kept", [{}])]);
      expect(await retainAll(here)).toBeGreaterThanOrEqual(3);
      expect(await here.store.position(here.workspace, "work/a")).toMatchObject({ head: 3, trimmed: 3 });
      const { appended } = await here.store.commit([append(here, "work/a", [{}])]);
      expect(appended).toMatchObject([{ offset: 4 }]);
      const read = eventsOf(await here.store.read(here.workspace, "work/a", 0, 10, 10_000));
      expect(read).toMatchObject([{ event: "skipped", offset: 1, through: 3 }, { event: "drawn" }]);
      expect(eventsOf(await here.store.read(here.workspace, "log/kept", 0, 10, 10_000))).toHaveLength(1);
    });

    it("[ST-10] a later keyframe of the same scope replaces what came before in it, and nothing else", async () => {
      const here = trial();
      const scope = { keyframe: "screen/1" };
      await here.store.commit([append(here, "work/a", [scope, {}, { keyframe: "screen/2" }, scope, {}])]);
      expect(await retainAll(here, "replaced")).toBeGreaterThanOrEqual(1);
      const read = eventsOf(await here.store.read(here.workspace, "work/a", 0, 10, 10_000));
      expect(read.map(({ event, keyframe }) => keyframe ?? event)).toEqual([
        "skipped",
        "drawn",
        "screen/2",
        "screen/1",
        "drawn",
      ]);
    });

    it("[OP-8] an inbox loses what was acknowledged, and nothing else", async () => {
      const here = trial();
      await here.store.commit([append(here, "inbox/a", [{}, {}, {}])]);
      const epoch = (await here.store.position(here.workspace, "inbox/a"))?.epoch ?? "";
      const cursor = { epoch, offset: 2 };
      await here.store.commit([{ kind: "ack", workspace: here.workspace, stream: "inbox/a", cursor }]);
      await retainAll(here);
      expect(await here.store.position(here.workspace, "inbox/a")).toMatchObject({ head: 3, trimmed: 2 });
      expect(eventsOf(await here.store.read(here.workspace, "inbox/a", 2, 10, 10_000))).toHaveLength(1);
    });

    it("[RQ-1][PB-3] answers and producers' records go when they are past their time", async () => {
      const here = trial();
      const [id, producer] = [newId(), newId()];
      const ask = publish(here, { producer }, 0, []);
      await here.store.commit([put(here, "one", { id }), publish(here, { producer }, 1, [{ event: "line", data: 1 }])]);
      expect((await step(here, { of: "requests", keptMs: 60_000 })).removed).toBe(0);
      expect((await step(here, { of: "requests", keptMs: atOnceMs })).removed).toBeGreaterThanOrEqual(1);
      expect(await commitOne(here, ask)).toMatchObject({ value: { sequence: 1 } });
      expect((await step(here, { of: "producers", keptMs: atOnceMs })).removed).toBeGreaterThanOrEqual(1);
      expect(await commitOne(here, ask)).toMatchObject({ value: { sequence: 0 } });
    });

    it("[ST-10] the size of the log follows what is appended; the disk's is told with it", async () => {
      const here = trial();
      const sizeOf = async () => (await step(here, { of: "size" })).size;
      const before = await sizeOf();
      await here.store.commit([append(here, "log/a", [{ data: "é".repeat(500) }])]);
      const after = await sizeOf();
      // 500 signs of two bytes, and the quotes.
      expect((after?.eventBytes ?? 0) - (before?.eventBytes ?? 0)).toBe(1_002);
      expect(after?.diskBytes).toBeGreaterThan(0);
    });

    it("[AD-2] a probe writes, and changes nothing that anybody reads", async () => {
      const here = trial();
      for (let count = 0; count < 3; count += 1)
        expect(await here.store.commit([{ kind: "probe" }])).toEqual({
          outcomes: [{ ok: true, value: null }],
          appended: [],
          faults: [],
        });
    });
  });
}
