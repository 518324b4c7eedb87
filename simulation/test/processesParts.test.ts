/** The parts of the runs with real processes that need no process: schedule, contents, the store's log, history, verdicts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Observation } from "../src/judge/observation.ts";
import type { ChaosReport } from "../src/processes/chaos.ts";
import { shortfallsOf } from "../src/processes/chaosReport.ts";
import { contentFold, contentOf } from "../src/processes/content.ts";
import { type HistoryParts, historyOf } from "../src/processes/history.ts";
import { judgeHistory } from "../src/processes/judgeHistory.ts";
import { tokenOf } from "../src/processes/person.ts";
import { nameOfFault } from "../src/processes/player.ts";
import { readRunFlags } from "../src/processes/runFlags.ts";
import { drawSchedule, type Strike } from "../src/processes/schedule.ts";
import { seeded } from "../src/processes/seeded.ts";
import type { SoakReport } from "../src/processes/soak.ts";
import { shortfallsOfSoak } from "../src/processes/soakReport.ts";
import { type LoggedEvent, makeStoreLog } from "../src/processes/storeLog.ts";

const targets = {
  clients: ["client1", "client2", "client3", "client4"],
  agents: ["agent-1", "agent-2"],
  pages: ["page1", "page2"],
};

function draw(seed: number, runMs = 600_000): readonly Strike[] {
  return drawSchedule({ targets, runMs, everyMs: 3_200, random: seeded(`${seed}`) });
}

describe("the schedule", () => {
  test("is the same for the same seed, and another for another", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
  test("never strikes one target twice at a time, and ends in time", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const freeAt = new Map<string, number>();
      for (const { target, atMs, ms } of draw(seed)) {
        expect(atMs).toBeGreaterThanOrEqual(freeAt.get(target) ?? 0);
        expect(atMs + ms).toBeLessThanOrEqual(600_000);
        freeAt.set(target, atMs + ms);
      }
    }
  });
  test("nobody waits for those who are not there, or are struck just now", () => {
    const random = seeded("dense");
    const few = drawSchedule({ targets: { ...targets, pages: [] }, runMs: 60_000, everyMs: 700, random });
    expect(few.length).toBeGreaterThan(25);
    expect(few.some(({ atMs }) => atMs > 45_000)).toBe(true);
  });
  test("ten minutes hold more than a hundred strikes, of every kind, on everybody", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const strikes = draw(seed);
      expect(strikes.length).toBeGreaterThan(140);
      expect(new Set(strikes.map(({ fault }) => nameOfFault(fault))).size).toBe(15);
      expect(new Set(strikes.map(({ target }) => target)).size).toBe(9);
    }
  });
});

describe("contents and their fold", () => {
  const output = (text: string) => ({ data: btoa(text), terminal: "t" });
  test("bytes joined are contents joined", () => {
    expect(contentOf("terminal.output", output("ab")) + contentOf("terminal.output", output("cd"))).toBe(
      contentOf("terminal.output", output("abcd")),
    );
    expect(contentOf("note", { text: "x" })).toBe('\nnote {"text":"x"}\n');
  });
  test("a fold does not depend on where it was cut, and tells other texts apart", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string({ minLength: 1 }), (texts, more) => {
        const whole = contentFold.next(contentFold.initial, texts.join(""));
        expect(texts.reduce((state, text) => contentFold.next(state, text), contentFold.initial)).toBe(whole);
        expect(contentFold.next(whole, more)).not.toBe(whole);
        const turned = [...more].toReversed().join("");
        if (turned !== more) expect(contentFold.next(whole, turned)).not.toBe(contentFold.next(whole, more));
      }),
    );
  });
});

describe("the store's log", () => {
  let folder: string;
  let database: DatabaseSync;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-store-log-"));
    database = new DatabaseSync(join(folder, "holdfast.db"));
    database.exec(`
      create table streams (id integer primary key, workspace text, name text, epoch text, head integer, trimmed integer);
      create table events (stream integer, "offset" integer, at integer, event text, data text);
      insert into streams values (1, 'default', 'thread/t', 'e', 0, 0);`);
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });
  const append = (offset: number, event: string, data: object): void => {
    database.prepare("insert into events values (1, ?, 5, ?, ?)").run(offset, event, JSON.stringify(data));
    database.prepare("update streams set head = ?").run(offset);
  };

  test("takes what is new at each look, and keeps what retention then removes", () => {
    const log = makeStoreLog(folder);
    append(1, "terminal.output", { data: btoa("a") });
    log.look();
    append(2, "terminal.screen", { data: "" });
    log.look();
    log.look();
    expect(log.events.map(({ offset, content }) => [offset, content])).toEqual([
      [1, "a"],
      [2, '\nterminal.screen {"data":""}\n'],
    ]);
    expect(log.heads().get("thread/t")).toBe(2);
    database.exec('delete from events where "offset" = 1');
    expect(log.compare()).toEqual([
      { kind: "removed", at: 0, workspace: "default", stream: "thread/t", offset: 1, through: 1 },
    ]);
  });

  test("an event that was there and is gone without a reason is a loss", () => {
    const log = makeStoreLog(folder);
    append(1, "note", { text: "a" });
    append(2, "note", { text: "b" });
    log.look();
    database.exec('delete from events where "offset" = 2');
    const removed = log.compare();
    expect(removed).toMatchObject([{ kind: "rolledBack", head: 1 }]);
    const report = judgeHistory({ ...nothing, events: log.events, removed, records: [deliveredAll(log.events)] }, true);
    expect(report.harms.lost).toBeGreaterThan(0);
  });
});

const nothing: HistoryParts = {
  events: [],
  removed: [],
  effects: [],
  records: [],
  logLines: [],
  incidents: [],
  lifeEnds: [],
};

/** A reader that was given everything from the start. */
function deliveredAll(events: readonly LoggedEvent[]): readonly Observation[] {
  return [
    {
      kind: "readerOpened",
      at: 6,
      reader: "client1#1.1/thread/t",
      client: "client1#1.1",
      workspace: "default",
      stream: "thread/t",
      from: "start",
    },
    ...events.map(
      ({ epoch, offset, content }): Observation => ({
        kind: "delivered",
        at: 7,
        reader: "client1#1.1/thread/t",
        epoch,
        offset,
        content,
      }),
    ),
  ];
}

describe("the history", () => {
  const logged = (offset: number, event: string, data: Readonly<Record<string, unknown>>): LoggedEvent => ({
    workspace: "default",
    stream: "thread/t",
    epoch: "e",
    offset,
    at: offset,
    event,
    data,
    content: contentOf(event, data),
  });
  const events = [
    logged(1, "command.queued", { command: "k", text: "exec 'node' 'printer' 'client1-1-1'" }),
    logged(2, "command.started", { command: "k" }),
    logged(3, "command.finished", { command: "k", outcome: "completed" }),
  ];
  const own: readonly Observation[] = [
    { kind: "requestIssued", at: 1, request: "client1-1-1", client: "client1" },
    { kind: "requestSettled", at: 2, request: "client1-1-1", outcome: "result" },
    { kind: "commandAccepted", at: 2, command: "k", client: "client1" },
    { kind: "personTold", at: 9, command: "k", client: "client1", outcome: "completed" },
  ];
  const effects = [{ token: "client1-1-1", at: 3 }];

  test("a token is found in a command's text, and only there", () => {
    expect(tokenOf("exec 'node' 'printerMain.ts' 'client12-3-44' '200'")).toBe("client12-3-44");
    expect(tokenOf("echo hello")).toBeUndefined();
  });
  test("good: a command that ran once and was told", () => {
    const parts = { ...nothing, events, effects, records: [own, deliveredAll(events)] };
    expect(judgeHistory(parts, true).violations).toEqual([]);
  });
  test("bad: a printed line that is there twice, out of order, missing, or changed", () => {
    const text = "exec 'node' 'printer' 'client1-1-1' '3' '17' '/effects'";
    const printed = (bytes: string, outcome = "completed"): HistoryParts => ({
      ...nothing,
      events: [
        logged(1, "command.queued", { command: "k", text }),
        logged(2, "terminal.output", { command: "k", terminal: "t", data: btoa(bytes) }),
        logged(3, "command.finished", { command: "k", outcome }),
      ],
      records: [own.slice(0, 2)],
    });
    const line = (number: number): string => `client1-1-1 line ${number}\r\n`;
    const harmsOf = (bytes: string, outcome?: string) => judgeHistory(printed(bytes, outcome), true).harms;
    const none = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 };
    expect(harmsOf(line(1) + line(2) + line(3))).toEqual(none);
    expect(harmsOf(`${line(1)}client1-1`, "lost")).toEqual(none);
    expect(harmsOf(line(1) + line(2) + line(2) + line(3))).toEqual({ ...none, repeated: 1 });
    expect(harmsOf(line(1) + line(3) + line(2))).toEqual({ ...none, reordered: 1 });
    expect(harmsOf(line(1) + line(3)).lost).toBeGreaterThan(0);
    expect(harmsOf(line(1) + line(3), "lost").lost).toBeGreaterThan(0);
    expect(harmsOf(line(1) + line(2)).lost).toBeGreaterThan(0);
    expect(harmsOf(`${line(1)}client1-1-1 lone 2\r\n${line(3)}`).phantom).toBeGreaterThan(0);
  });
  test("bad: it ran twice; nobody asked for it; its end was not told", () => {
    const harms = (parts: Partial<HistoryParts>) => judgeHistory({ ...nothing, ...parts }, true).harms;
    expect(harms({ events, records: [own], effects: [...effects, ...effects] })).toMatchObject({ repeated: 1 });
    expect(harms({ events, effects }).phantom).toBeGreaterThan(0);
    expect(harms({ events, effects, records: [own.slice(0, 3)] })).toMatchObject({ lost: 1 });
  });
  test("an end of a connection has the cause of the fault that acted then, else none", () => {
    const closed: Observation = { kind: "closed", at: 1_000, client: "client1#1.1", code: 1006 };
    const incident = (target: string, kind: string, beganAt: number) => ({
      target,
      kind,
      beganAt,
      endedAt: beganAt + 100,
    });
    const causeOf = (...incidents: HistoryParts["incidents"]) =>
      historyOf({ ...nothing, records: [[closed]], incidents }).map((one) =>
        one.kind === "closed" ? one.cause : "?",
      )[0];
    expect(causeOf(incident("client1", "stop", 950))).toBe("silence");
    expect(causeOf(incident("server", "kill", 950))).toBe("ended");
    expect(causeOf(incident("client2", "kill", 950))).toBeUndefined();
    expect(causeOf(incident("client1", "kill", 1_001))).toBeUndefined();
    expect(causeOf(incident("client1", "kill", -50_000))).toBeUndefined();
  });
  test("a life that was ended takes its readers with it", () => {
    const half = deliveredAll(events).slice(0, 2);
    expect(judgeHistory({ ...nothing, events, records: [own, half], effects }, true).harms.lost).toBe(1);
    const lifeEnds = [{ client: "client1#1", at: 8 }];
    expect(judgeHistory({ ...nothing, events, records: [own, half], effects, lifeEnds }, true).violations).toEqual([]);
  });
});

describe("verdicts", () => {
  const harms = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 };
  const judged = {
    observations: 0,
    committed: 100_000,
    deliveries: 500_000,
    requests: 0,
    commands: 0,
    violations: [],
    harms,
  };
  const chaos: ChaosReport = {
    ...judged,
    seed: 1,
    minutes: 11,
    effective: new Map(),
    struck: 130,
    faults: 110,
    refreshes: 1,
    healedMs: 5_000,
    unsettled: undefined,
  };
  test("chaos: enough of everything is no shortfall; each lack is one", () => {
    expect(shortfallsOf(chaos, 10)).toEqual([]);
    expect(shortfallsOf({ ...chaos, faults: 99 }, 10)).toHaveLength(1);
    expect(shortfallsOf({ ...chaos, deliveries: 1 }, 10)).toHaveLength(1);
    expect(shortfallsOf({ ...chaos, healedMs: undefined }, 10)).toHaveLength(1);
    expect(shortfallsOf({ ...chaos, faults: 10, deliveries: 0 }, 1)).toEqual([]);
  });
  const soak: SoakReport = {
    minutes: 21,
    clients: 50,
    committed: 240_000,
    deliveries: 12_000_000,
    eventsPerSecond: 195,
    reconnects: 0,
    refusals: 0,
    refreshes: 3_800,
    wrongReaders: [],
    growth: [{ what: "server", before: 100, after: 109 }],
    judged,
  };
  const asked = { minutes: 20, eventsPerSecond: 200, signInSeconds: 30 };
  test("soak: each thing that may not happen is a shortfall", () => {
    expect(shortfallsOfSoak(soak, asked)).toEqual([]);
    const bad: readonly Partial<SoakReport>[] = [
      { reconnects: 1 },
      { refusals: 1 },
      { refreshes: 1_900 },
      { wrongReaders: ["crowd1 …"] },
      { eventsPerSecond: 100 },
      { growth: [{ what: "server, in use", before: 100, after: 111 }] },
    ];
    for (const one of bad) expect(shortfallsOfSoak({ ...soak, ...one }, asked)).toHaveLength(1);
  });
  test("flags are read, and refused in one sentence", () => {
    expect(readRunFlags([], 10)).toEqual({ minutes: 10, seed: undefined, ledger: false });
    expect(readRunFlags(["--minutes", "0.5", "--seed", "7", "--ledger"], 10)).toEqual({
      minutes: 0.5,
      seed: 7,
      ledger: true,
    });
    for (const wrong of [["--minutes", "x"], ["--minutes", "0"], ["--seed", "1.5"], ["--what"], ["word"]])
      expect(readRunFlags(wrong, 10)).toHaveProperty("problem");
  });
});
