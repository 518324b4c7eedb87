/** The contract's part on the log: epochs, offsets, reads, positions, snapshots, inboxes (ST-1, ST-4, ST-9, ST-13, ST-15, OP-8). */
import { limits } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import type { Operation, StreamSnapshot } from "../../../src/store/port.ts";
import { codeOf, commitOne, eventsOf, hello, newId, put, readAll, type Trial } from "./implementation.ts";

const append = ({ workspace }: Trial, stream: string, data: readonly unknown[]): Operation => ({
  kind: "append",
  workspace,
  stream,
  events: data.map((one) => ({ event: "noted", data: one })),
});
const upTo = (count: number): number[] => Array.from({ length: count }, (_value, index) => index + 1);

/** What JSON allows, and databases' own types, texts or drivers do not always. */
const hardTexts = [
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00x",
  "\u2028\u2029",
  "é e\u0301 🜁",
  '"\\\u001b[31m',
  "'; drop",
];

export function logCases(trial: () => Trial): void {
  describe("the log", () => {
    it("[ST-1] offsets are contiguous from 1, over batches and over many streams of one batch", async () => {
      const here = trial();
      const names = ["log/b", "log/a", "log/c"];
      const offsets = new Map<string, number[]>(names.map((name) => [name, []]));
      for (const round of upTo(4)) {
        const batch = [...names, ...names].map((name) => append(here, name, upTo(round)));
        for (const run of (await here.store.commit(batch)).appended)
          for (const index of run.events.keys()) offsets.get(run.stream)?.push(run.offset + index);
      }
      for (const name of names) expect(offsets.get(name)).toEqual(upTo(20));
      for (const name of names) expect(await readAll(here, name)).toHaveLength(20);
    });

    it("[ST-13] what a commit tells as appended is what a read finds right after it", async () => {
      const here = trial();
      const { appended } = await here.store.commit([append(here, "log/a", [1, { two: 2 }, null]), put(here, "one")]);
      for (const run of appended) {
        const told = run.events.map(({ event, at, json }) => ({ event, at, data: JSON.parse(json) as unknown }));
        const read = await here.store.read(here.workspace, run.stream, run.offset - 1, 100, 100_000);
        expect(read.offset).toBe(run.offset);
        expect(eventsOf(read)).toEqual(told);
        expect(await here.store.position(here.workspace, run.stream)).toMatchObject({
          epoch: run.epoch,
          head: run.offset + run.events.length - 1,
        });
      }
    });

    it("[F50] data is given back as it was said, whatever texts are in it", async () => {
      const here = trial();
      const data = [...hardTexts, { [hardTexts[0] ?? ""]: hardTexts }, 1e308, -0.5, [], {}, "x".repeat(100_000)];
      const outcome = await commitOne(here, append(here, "log/a", data));
      expect(codeOf(outcome)).toBe("ok");
      expect((await readAll(here, "log/a")).map((event) => event.data)).toEqual(data);
    });

    it("[TR-3] an event above the limit is refused alone", async () => {
      const here = trial();
      const { outcomes } = await here.store.commit([
        append(here, "log/a", ["x".repeat(limits.eventBytesMax)]),
        append(here, "log/b", ["fits"]),
      ]);
      expect(outcomes.map(codeOf)).toEqual(["too_large", "ok"]);
      expect(await here.store.position(here.workspace, "log/a")).toBeNull();
    });

    it("[ST-4] a read begins after the cursor and keeps to its limits", async () => {
      const here = trial();
      await here.store.commit([
        append(
          here,
          "log/a",
          upTo(300).map((n) => `${n} ${"x".repeat(1_000)}`),
        ),
      ]);
      const few = await here.store.read(here.workspace, "log/a", 10, 7, 1_000_000);
      expect([few.offset, eventsOf(few).length]).toEqual([11, 7]);
      const small = await here.store.read(here.workspace, "log/a", 0, 1_000, 50_000);
      expect(small.pieces.length).toBeGreaterThan(1);
      for (const { bytes } of small.pieces) expect(bytes.length).toBeLessThanOrEqual(limits.frameTargetBytes);
      expect(eventsOf(small).length).toBeLessThan(60);
      expect(eventsOf(small).length).toBe(small.pieces.reduce((sum, { span }) => sum + span, 0));
      const atHead = await here.store.read(here.workspace, "log/a", 300, 10, 1_000);
      const ofNone = await here.store.read(here.workspace, "log/none", 0, 10, 1_000);
      expect([atHead.pieces, ofNone.pieces]).toEqual([[], []]);
    });

    it("[ST-14] the positions of many streams come in their order, null for those that are not there", async () => {
      const here = trial();
      await here.store.commit([append(here, "log/a", upTo(3)), append(here, "log/b", upTo(5))]);
      const names = ["log/b", "log/none", "log/a", "log/b"];
      const positions = await here.store.positions(names.map((stream) => ({ workspace: here.workspace, stream })));
      expect(positions.map((position) => position?.head ?? null)).toEqual([5, null, 3, 5]);
      expect(await here.store.positions([])).toEqual([]);
    });

    it("[ST-9] a snapshot is the state exactly at its position, however much commits meanwhile", async () => {
      const here = trial();
      const snapshots: Promise<StreamSnapshot | null>[] = [];
      const commits: Promise<unknown>[] = [];
      for (const round of upTo(30)) {
        commits.push(here.store.commit([put(here, `${round}-a`), put(here, `${round}-b`)]));
        snapshots.push(here.store.snapshot(here.workspace, "items"));
      }
      await Promise.all(commits);
      for (const snapshot of [...(await Promise.all(snapshots)), await here.store.snapshot(here.workspace, "items")]) {
        const items = (snapshot?.data?.["items"] ?? []) as unknown[];
        expect(items).toHaveLength(snapshot?.position.head ?? 0);
      }
      expect((await here.store.snapshot(here.workspace, "items"))?.position.head).toBe(60);
    });

    it("[ST-1] a stream without events exists once it was opened, and then only", async () => {
      const here = trial();
      expect(await here.store.position(here.workspace, "inbox/a")).toBeNull();
      expect(await here.store.snapshot(here.workspace, "items")).toBeNull();
      await here.store.commit([hello(here, "a", newId())]);
      const opened = await here.store.position(here.workspace, "inbox/a");
      expect(opened).toMatchObject({ head: 0, trimmed: 0, acknowledged: 0 });
      await here.store.commit([hello(here, "a", newId()), append(here, "inbox/a", ["x"])]);
      expect(await here.store.position(here.workspace, "inbox/a")).toMatchObject({ epoch: opened?.epoch, head: 1 });
    });

    it("[ST-1] a stream that a failing operation opened does not exist, and can be opened by the next", async () => {
      const here = trial();
      const { workspace } = here;
      const failing = { kind: "task", workspace, task: "contract.openThenBreak", input: { to: "a" } } as const;
      await here.store.commit([failing, put(here, "one")]);
      expect(await here.store.position(workspace, "inbox/a")).toBeNull();
      await here.store.commit([hello(here, "a", newId())]);
      expect(await here.store.position(workspace, "inbox/a")).toMatchObject({ head: 0 });
    });

    it("[ST-15] a renewal gives the stream a new epoch once, however many ask, and voids what was acknowledged", async () => {
      const here = trial();
      await here.store.commit([hello(here, "a", newId()), append(here, "inbox/a", upTo(3))]);
      const before = await here.store.position(here.workspace, "inbox/a");
      const epoch = before?.epoch ?? "";
      const renew = (of: string): Operation => ({
        kind: "renew",
        workspace: here.workspace,
        stream: "inbox/a",
        epoch: of,
      });
      const ack = (of: string, offset: number): Operation => ({
        kind: "ack",
        workspace: here.workspace,
        stream: "inbox/a",
        cursor: { epoch: of, offset },
      });
      await here.store.commit([ack(epoch, 3)]);
      expect(await here.store.position(here.workspace, "inbox/a")).toMatchObject({ acknowledged: 3 });
      await here.store.commit([renew(epoch), renew(epoch), ack(epoch, 2)]);
      const after = await here.store.position(here.workspace, "inbox/a");
      expect(after).toMatchObject({ head: 3, acknowledged: 0 });
      expect(after?.epoch).not.toBe(epoch);
      await here.store.commit([renew(epoch), renew("of another time")]);
      expect((await here.store.position(here.workspace, "inbox/a"))?.epoch).toBe(after?.epoch);
      const { appended } = await here.store.commit([append(here, "inbox/a", [4])]);
      expect(appended).toMatchObject([{ epoch: after?.epoch, offset: 4 }]);
    });

    it("[OP-8][ST-16] acknowledgements are cumulative; those of another epoch or beyond the head are ignored", async () => {
      const here = trial();
      await here.store.commit([
        hello(here, "a", newId()),
        { kind: "task", workspace: here.workspace, task: "contract.tell", input: { to: "a", texts: ["x", "y", "z"] } },
      ]);
      const position = () => here.store.position(here.workspace, "inbox/a");
      const epoch = (await position())?.epoch ?? "";
      const acknowledged: (number | undefined)[] = [];
      for (const cursor of [
        { epoch, offset: 2 },
        { epoch, offset: 1 },
        { epoch: "another", offset: 3 },
        { epoch, offset: 4 },
        { epoch, offset: 3 },
      ]) {
        await here.store.commit([{ kind: "ack", workspace: here.workspace, stream: "inbox/a", cursor }]);
        acknowledged.push((await position())?.acknowledged);
      }
      expect(acknowledged).toEqual([2, 2, 2, 2, 3]);
    });

    it("[F72] a task's value comes back; one that breaks is undone and named", async () => {
      const here = trial();
      const run = (task: string, input: unknown): Operation => ({
        kind: "task",
        workspace: here.workspace,
        task,
        input,
      });
      const { outcomes, faults } = await here.store.commit([
        run("contract.tell", { to: "a", texts: ["x"] }),
        run("contract.break", null),
        run("contract.none", null),
      ]);
      expect(outcomes.map(codeOf)).toEqual(["ok", "internal", "not_found"]);
      expect(outcomes[0]).toEqual({ ok: true, value: { told: 1 } });
      expect(faults).toMatchObject([{ operation: "task contract.break", error: { name: "TypeError" } }]);
      expect(await here.store.position(here.workspace, "items")).toBeNull();
    });

    it("[ST-1] a batch of a thousand operations is one batch", async () => {
      const here = trial();
      const batch = upTo(1_000).map((n) => append(here, `log/${n % 20}`, [n]));
      const { outcomes, appended } = await here.store.commit(batch);
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
      expect(appended.map(({ offset, events }) => [offset, events.length])).toEqual(upTo(20).map(() => [1, 50]));
    });
  });
}
