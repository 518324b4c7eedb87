/**
 * Soak: nothing is wrong for a long time. Credentials live for seconds and are renewed in band, agents print, everybody
 * reads; and nobody may lose a connection, be refused, miss an event, or grow.
 *
 * Life cycle: field without faults → a crowd of clients beside the two pages → work, sent as fast as it is done → quiet
 * → every reader's fold is compared with the log's. Memory is compared between a quarter of the run and its end.
 */
import { join } from "node:path";
import type { JudgeReport } from "../judge/judge.ts";
import { type Crowd, joinCrowd, wrongReaders } from "./crowd.ts";
import type { CrowdResult } from "./crowdSettings.ts";
import { type Field, makeField } from "./field.ts";
import { pause, until } from "./player.ts";
import type { StoreLog } from "./storeLog.ts";

const settleMsMax = 60_000;
/** Each thread has this many commands waiting or running: the next begins at once. */
const commandsAhead = 2;
/** What one of them prints lasts so long, or a share of a short run. */
const commandMsMax = 20_000;
/** The terminal of the page that watches the first thread is full from the beginning, as after a day. */
const scrollbackLines = 60_000;
/** A shorter run says nothing of memory. */
const fillMsMin = 5 * 60_000;

export interface SoakOptions {
  readonly seed: number;
  readonly runMs: number;
  /** Besides the two pages. */
  readonly clients: number;
  readonly agents: number;
  /** Of each agent. */
  readonly linesPerSecond: number;
  readonly signInSeconds: number;
  readonly hasPages: boolean;
  readonly say: (line: string) => void;
}

/** Bytes at a quarter of the run, and at its end. */
export interface Growth {
  readonly what: string;
  readonly before: number;
  readonly after: number;
}

export interface SoakReport {
  readonly minutes: number;
  readonly clients: number;
  readonly committed: number;
  readonly deliveries: number;
  readonly eventsPerSecond: number;
  /** Connections that ended, of clients and pages; credentials refused; and renewed. */
  readonly reconnects: number;
  readonly refusals: number;
  readonly refreshes: number;
  /** Readers that missed something, or whose fold is not the log's: one sentence each. */
  readonly wrongReaders: readonly string[];
  readonly growth: readonly Growth[];
  /** What the judge says of pages, log and commands. */
  readonly judged: JudgeReport;
}

export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { say, runMs } = options;
  const beganAt = performance.now();
  const field = await makeField({
    seed: options.seed,
    agents: options.agents,
    readers: 0,
    senders: 0,
    sends: { everyMs: 0, unfinishedMax: 0, lines: 0, lineEveryMs: 0 },
    signInSeconds: options.signInSeconds,
    hasPages: options.hasPages,
    probesHeap: true,
  });
  try {
    const crowd = await enterCrowd(field, options);
    say(`${options.clients} clients and ${field.pages === undefined ? 0 : 2} pages are live`);
    const before = field.log.events.length;
    const working = work(field, options);
    const startedAt = performance.now();
    await pause(runMs / 4);
    const early = await memory(field);
    await pause(Math.max(0, runMs - (performance.now() - startedAt)));
    const late = await memory(field);
    const seconds = (performance.now() - startedAt) / 1_000;
    await working.stop();
    const printed = field.log.events.length - before;
    const result = await finishCrowd(field, crowd);
    const pagesReconnects = (await field.pages?.recorder.status())?.reconnects ?? 0;
    await field.end();
    return {
      minutes: (performance.now() - beganAt) / 60_000,
      clients: options.clients + (field.pages === undefined ? 0 : 2),
      committed: field.log.events.length,
      deliveries: result.deliveries,
      eventsPerSecond: printed / seconds,
      reconnects: result.closings + pagesReconnects,
      refusals: result.refusals,
      refreshes: result.refreshes,
      wrongReaders: wrongReaders(result, field.log.events),
      growth: early.map(({ what, bytes }, index) => ({ what, before: bytes, after: late[index]?.bytes ?? 0 })),
      judged: field.judge(true),
    };
  } finally {
    await field.abandon();
  }
}

async function enterCrowd(field: Field, { clients }: SoakOptions): Promise<Crowd> {
  return await joinCrowd({
    count: clients,
    url: field.server.url,
    via: field.server.port,
    data: field.data,
    folder: join(field.folder, "crowd"),
    streams: field.streams,
  });
}

/** Keeps every agent printing. */
function work(field: Field, { linesPerSecond, runMs }: SoakOptions): { stop(): Promise<void> } {
  let isOver = false;
  const sent = new Map<string, number>();
  const lines = Math.ceil((linesPerSecond * Math.min(commandMsMax, runMs / 5)) / 1_000);
  const fillsTerminal = runMs > fillMsMin;
  const feed = async (): Promise<void> => {
    while (!isOver) {
      const ended = finishedByThread(field.log);
      for (const [index, thread] of field.threads.entries()) {
        if ((sent.get(thread) ?? 0) - (ended.get(thread) ?? 0) >= commandsAhead) continue;
        sent.set(thread, (sent.get(thread) ?? 0) + 1);
        const token = `soak-${index + 1}-${sent.get(thread)}`;
        if (fillsTerminal && token === "soak-1-1") await field.send(thread, token, scrollbackLines, 1);
        else await field.send(thread, token, lines, 1_000 / linesPerSecond);
      }
      await pause(500);
    }
  };
  const feeding = feed();
  return {
    async stop() {
      isOver = true;
      await feeding;
    },
  };
}

function finishedByThread(log: StoreLog): ReadonlyMap<string, number> {
  const ended = new Map<string, number>();
  for (const { stream, event } of log.events) {
    if (event !== "command.finished") continue;
    const thread = stream.slice("thread/".length);
    ended.set(thread, (ended.get(thread) ?? 0) + 1);
  }
  return ended;
}

/** Lets the last commands end, waits until all have read all, and takes what the crowd has to tell. */
async function finishCrowd(field: Field, crowd: Crowd): Promise<CrowdResult> {
  await until(
    () => {
      field.log.look();
      const started = field.log.events.filter(({ event }) => event === "command.queued").length;
      const ended = field.log.events.filter(({ event }) => event === "command.finished").length;
      return started === ended ? true : undefined;
    },
    () => "every command ended",
    settleMsMax,
  );
  const unsettled = await field.settle(settleMsMax);
  if (unsettled !== undefined) throw new Error(`it did not settle: ${unsettled}`);
  return await crowd.finish();
}

/** What is in use: of the server after a collection in each of its threads, of a page after one of its own. */
async function memory(field: Field): Promise<readonly { readonly what: string; readonly bytes: number }[]> {
  const last = new Map(field.heapLines().map((line) => [line.thread, line]));
  const inUse = [...last.values()].reduce((sum, line) => sum + line.inUse, 0);
  const resident = Math.max(0, ...[...last.values()].map((line) => line.resident));
  const pages = field.pages === undefined ? [] : [field.pages.recorder, field.pages.product];
  return [
    { what: "server, in use", bytes: inUse },
    { what: "server, resident", bytes: resident },
    ...(await Promise.all(pages.map(async (page) => ({ what: page.name, bytes: await page.heapBytes() })))),
  ];
}
