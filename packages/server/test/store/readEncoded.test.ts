/** The log as pieces for frames: the quick way over the columns says what the way over events says. */
import { limits } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import type { Plugin } from "../../src/plugin.ts";
import type { EncodedRun } from "../../src/store/port.ts";
import { openEngine } from "../support/engine.ts";

const plugin: Plugin = {
  name: "logs",
  migrations: {},
  methods: {},
  tasks: {},
  streams: [{ name: "log/", always: false, inbox: false, mayRead: () => true }],
};
const stream = "log/a";
const textOf = ({ pieces }: EncodedRun): string[] => pieces.map(({ bytes }) => new TextDecoder().decode(bytes));

async function filled(count: number, textBytes = 10) {
  const { engine, dialect } = await openEngine([plugin], () => 1_700_000_000_000);
  const events = Array.from({ length: count }, (_, index) => ({
    event: index % 3 === 0 ? 'na"me' : "tick",
    data: { text: 'ä\u2028"x'.repeat(textBytes / 5), index },
    ...(index % 4 === 0 ? { keyframe: `scope/"${index}` } : {}),
  }));
  await engine.commit([{ kind: "append", workspace: "default", stream, events }]);
  return { engine, dialect, events };
}

describe("reading the log for frames", () => {
  it("[ST-4] gives every event once, in order, whatever is in its texts", async () => {
    const { engine, events } = await filled(450);
    const run = await engine.readEncoded("default", stream, 2, 1_000, 1_000_000);
    expect(run.offset).toBe(3);
    expect(run.pieces.reduce((sum, { span }) => sum + span, 0)).toBe(448);
    const said = JSON.parse(`[${textOf(run).join(",")}]`) as unknown[];
    expect(said).toEqual(events.slice(2).map((event) => ({ ...event, at: 1_700_000_000_000 })));
  });

  it("[TR-3] joins up to about a frame, and cuts at both limits", async () => {
    const { engine } = await filled(300, 5_000);
    const run = await engine.readEncoded("default", stream, 0, 1_000, 200_000);
    expect(run.pieces.length).toBeGreaterThan(3);
    for (const text of textOf(run)) expect(text.length).toBeLessThan(40_000);
    const covered = run.pieces.reduce((sum, { span }) => sum + span, 0);
    expect(covered).toBeLessThan(300);
    const few = await engine.readEncoded("default", stream, 0, 7, 1_000_000);
    expect(few.pieces.reduce((sum, { span }) => sum + span, 0)).toBe(7);
  });

  it("[TR-3] no piece is heavier than a frame where small events are followed by large ones, and back", async () => {
    const { engine } = await openEngine([plugin], () => 1_700_000_000_000);
    const sizes = Array.from({ length: 400 }, (_, index) =>
      index >= 150 && index < 200 ? 20_000 + 900 * (index % 7) : 3,
    );
    const events = sizes.map((size, index) => ({ event: "tick", data: { text: "ä".repeat(size / 2), index } }));
    await engine.commit([{ kind: "append", workspace: "default", stream, events }]);
    const run = await engine.readEncoded("default", stream, 0, 1_000, 10_000_000);
    for (const { bytes } of run.pieces) expect(bytes.length).toBeLessThanOrEqual(limits.frameTargetBytes);
    const said = JSON.parse(`[${textOf(run).join(",")}]`) as unknown[];
    expect(said).toEqual(events.map((event) => ({ ...event, at: 1_700_000_000_000 })));
    // Small ones fill their frames again afterwards.
    expect(run.pieces.at(-1)?.span).toBeGreaterThan(100);
  });

  it("[TR-3] an event that is larger than a frame is a piece of its own", async () => {
    const { engine } = await filled(3, 60_000);
    const run = await engine.readEncoded("default", stream, 0, 1_000, 10_000_000);
    expect(run.pieces.map(({ span }) => span)).toEqual([1, 1, 1]);
  });

  it.each([
    { missing: [4, 5], skipped: { offset: 4, through: 5 } },
    { missing: [10], skipped: { offset: 10, through: 10 } },
  ])("[ST-10] names what is missing: $missing of 10", async ({ missing, skipped }) => {
    const { engine, dialect } = await filled(10);
    await dialect.kysely.deleteFrom("events").where("offset", "in", missing).execute();
    const run = await engine.readEncoded("default", stream, 0, 100, 1_000_000);
    const said = JSON.parse(`[${textOf(run).join(",")}]`) as { event: string }[];
    expect(said.filter(({ event }) => event === "skipped")).toMatchObject([skipped]);
    expect(run.pieces.reduce((sum, { span }) => sum + span, 0)).toBe(10);
  });

  it("[ST-7] at the head there is nothing, of no stream neither", async () => {
    const { engine } = await filled(3);
    expect((await engine.readEncoded("default", stream, 3, 100, 1_000)).pieces).toEqual([]);
    expect((await engine.readEncoded("default", "log/none", 0, 100, 1_000)).pieces).toEqual([]);
  });
});
