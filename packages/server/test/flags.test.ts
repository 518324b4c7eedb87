/**
 * Flags: a file decides who may use what, by person, and a server obeys its own.
 *
 * Seen red: with the file's first version kept for ever, with a file taken in part, with `targetingKey` left out, with
 * no bound on an evaluation, and with `rollUp` not passed to the reader.
 */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "@openfeature/server-sdk";
import { afterEach, describe, expect, it } from "vitest";
import type { FeatureFlags } from "../src/flags/features.ts";
import { lookMs } from "../src/flags/flagFile.ts";
import { type FlagSource, openFlags } from "../src/flags/openFlags.ts";
import { collectLog } from "./auth/authWorld.ts";
import { ada, newId } from "./support/principals.ts";
import { createSimClock, type SimClock } from "./support/simClock.ts";
import { createWorld } from "./support/world.ts";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

const flag = (defaultVariant: "on" | "off", more: object = {}) => ({
  state: "ENABLED",
  variants: { on: true, off: false },
  defaultVariant,
  ...more,
});
const off = { flags: { rollUp: flag("off") } };
const on = { flags: { rollUp: flag("on") } };

interface Flagged {
  readonly flags: FeatureFlags;
  readonly clock: SimClock;
  readonly log: ReturnType<typeof collectLog>["lines"];
  /** Writes the file anew, and waits until it was looked at. */
  write(text: string | object): Promise<void>;
  readonly file: string;
}

let times = 1_000;
function put(file: string, text: string | object): void {
  writeFileSync(file, typeof text === "string" ? text : JSON.stringify(text));
  // A file system may keep times in steps that two writes of a test share.
  utimesSync(file, times, times);
  times += 1;
}

async function open(first: string | object, source?: FlagSource): Promise<Flagged> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-flags-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "flags.json");
  put(file, first);
  const clock = createSimClock();
  const { lines, log } = collectLog();
  const flags = await openFlags({ source: source ?? { file }, domain: newId(), clock, log });
  cleanUps.push(() => flags.stop());
  return {
    flags,
    clock,
    log: lines,
    file,
    async write(text) {
      put(file, text);
      await look(clock);
    },
  };
}

/** The clock is simulated, the disk is not: until the look that is under way has ended. */
async function look(clock: SimClock): Promise<void> {
  await clock.advance(lookMs);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

const person = (id: string) => ({ ...ada, id });

describe("a file of flags", () => {
  it("decides, is read anew when it changes, and leaves the others at their defaults", async () => {
    const { flags, write, log } = await open(off);
    expect(await flags.of(ada)).toEqual({ rollUp: false, tabSharing: true });
    await write(on);
    expect(await flags.of(ada)).toEqual({ rollUp: true, tabSharing: true });
    expect(log.map(({ event }) => event)).toEqual(["flags.taken"]);
  });

  it("gives a share of the people, each of them always the same", async () => {
    const share = flag("off", {
      targeting: {
        fractional: [
          ["on", 20],
          ["off", 80],
        ],
      },
    });
    const { flags } = await open({ flags: { tabSharing: share } });
    const asked = async () =>
      Promise.all(Array.from({ length: 500 }, async (_, index) => (await flags.of(person(`u${index}`))).tabSharing));
    const first = await asked();
    expect(first.filter((has) => has).length).toBeGreaterThan(60);
    expect(first.filter((has) => has).length).toBeLessThan(140);
    expect(await asked()).toEqual(first);
  });

  it("can tell roles apart", async () => {
    const targeting = { if: [{ "==": [{ var: "role" }, "admin"] }, "on", "off"] };
    const { flags } = await open({ flags: { rollUp: flag("off", { targeting }) } });
    expect((await flags.of({ ...ada, role: "admin" })).rollUp).toBe(true);
    expect((await flags.of({ ...ada, role: "viewer" })).rollUp).toBe(false);
  });

  it.each([
    ["is no JSON", "{"],
    ["has no flags", {}],
    ["has a state that is none", { flags: { rollUp: { ...flag("on"), state: "ON" } } }],
    ["has a default that is no variant", { flags: { rollUp: { ...flag("on"), defaultVariant: "x" } } }],
    ["gives a text for a truth value", { flags: { rollUp: { ...flag("on"), variants: { on: "yes", off: "no" } } } }],
    ["has a rule that does not exist", { flags: { rollUp: flag("on", { targeting: { nosuch: [1] } }) } }],
    ["is too large", `${" ".repeat(1_000_001)}`],
  ])("that %s keeps the last good one and is told once; at the start it is refused", async (_title, bad) => {
    const { flags, write, log, clock } = await open(off);
    await write(bad);
    await look(clock);
    expect((await flags.of(ada)).rollUp).toBe(false);
    expect(log.map(({ level, event }) => `${level} ${event}`)).toEqual(["warn flags.refused"]);
    expect(log[0]?.fields?.["error"]).toBeInstanceOf(Error);
    await write(on);
    expect((await flags.of(ada)).rollUp).toBe(true);
    await expect(open(bad)).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringContaining("flags.json"),
    });
  });

  it("that goes away keeps the last good one, told once, and is taken when it is back", async () => {
    const { flags, file, write, log, clock } = await open(off);
    rmSync(file);
    await look(clock);
    await look(clock);
    expect((await flags.of(ada)).rollUp).toBe(false);
    expect(log).toMatchObject([{ level: "warn", event: "flags.refused" }]);
    await write(on);
    expect((await flags.of(ada)).rollUp).toBe(true);
  });
});

describe("an app's own provider", () => {
  const provider = (resolve: () => Promise<{ value: boolean }>): Provider => ({
    metadata: { name: "app" },
    runsOn: "server",
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: async (_, value) => ({ value }),
    resolveNumberEvaluation: async (_, value) => ({ value }),
    resolveObjectEvaluation: async (_, value) => ({ value }),
  });

  it("decides", async () => {
    const { flags } = await open("", { provider: provider(async () => ({ value: false })) });
    expect(await flags.of(ada)).toEqual({ rollUp: false, tabSharing: false });
  });

  it("[F79] that throws gives the defaults, told once a flag", async () => {
    const { flags, log } = await open("", {
      provider: provider(async () => {
        throw new Error("away");
      }),
    });
    for (let times = 0; times < 3; times += 1) expect(await flags.of(ada)).toEqual({ rollUp: true, tabSharing: true });
    expect(log.map(({ event }) => event)).toEqual(["flags.evaluation_failed", "flags.evaluation_failed"]);
  });

  it("[F77] that hangs holds up no opening for longer than its bound", async () => {
    const { flags, clock, log } = await open("", { provider: provider(() => new Promise(() => {})) });
    const asked = flags.of(ada);
    await clock.advance(250);
    expect(await asked).toEqual({ rollUp: true, tabSharing: true });
    expect(log).toMatchObject([{ event: "flags.evaluation_failed", fields: { flag: "all" } }]);
  });
});

describe("a node with flags", () => {
  it("[OP-3][ST-12] tells each what they may use, and joins nothing for who has no roll-up", async () => {
    const flags: FeatureFlags = {
      of: async ({ id }) => ({ rollUp: id !== "plain", tabSharing: false }),
      stop: () => {},
    };
    const world = await createWorld(undefined, {}, { flags });
    const events = Array.from({ length: 20 }, (_, index) => ({ event: "text", data: { text: `${index} ` } }));
    // Nobody reads yet, so nothing of it is in memory.
    for (let batch = 0; batch < 100; batch += 1)
      void world.committer.run({ kind: "append", workspace: "default", stream: "log/a", events });
    await world.clock.advance(1_000);
    const read = async (id: string) => {
      world.verdict = () => ({ kind: "accepted", principal: person(id), cookie: false });
      const client = world.connect();
      await client.open({ subscribe: [{ stream: "log/a", sub: 1, from: "start" }] });
      await world.clock.advance(2_000);
      return client;
    };
    const [joined, plain] = [await read("ada"), await read("plain")];
    expect(joined.of("welcome")[0]?.features).toEqual({ rollUp: true, tabSharing: false });
    expect(plain.of("welcome")[0]?.features).toEqual({ rollUp: false, tabSharing: false });
    const all = (client: typeof plain) => client.of("events").flatMap((run) => run.events);
    expect(all(plain)).toHaveLength(2_000);
    expect(all(joined).length).toBeLessThan(20);
    const text = (client: typeof plain) =>
      all(client)
        .map(({ data }) => (data as { text: string }).text)
        .join("");
    expect(text(joined)).toBe(text(plain));
  });
});
