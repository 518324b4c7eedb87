/**
 * Everybody who takes part: a server as people run it, shell agents, clients that read and send, and two pages; each with
 * a bad network of its own to the server.
 *
 * Life cycle: prepared (keys of the agents) → server → agents and their threads → clients and pages → struck, by whoever
 * runs it → quiet → ended, and then judged. Invariant: all of it lives in one folder of its own, on ports of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "@holdfast/server";
import { bundle } from "../../../e2e/src/bundle.ts";
import type { JudgeReport } from "../judge/judge.ts";
import type { Observation } from "../judge/observation.ts";
import { type AgentPlayer, makeAgentPlayer } from "./agentPlayer.ts";
import { endChildren } from "./child.ts";
import type { HeapLine } from "./heapProbe.ts";
import type { Effect, Incident } from "./history.ts";
import { readLines } from "./jsonLines.ts";
import { judgeHistory } from "./judgeHistory.ts";
import { makePagePlayer, type PagePlayer } from "./pagePlayer.ts";
import { printing } from "./person.ts";
import { pause, until } from "./player.ts";
import { makeRecorderPlayer, type RecorderPlayer } from "./recorderPlayer.ts";
import { seeded } from "./seeded.ts";
import { freePort, makeServerProcess, type ServerProcess } from "./serverProcess.ts";
import { ask, cookieOf, type Door, signIn } from "./signIn.ts";
import { makeStoreLog, type StoreLog } from "./storeLog.ts";

const agentsMsMax = 30_000;
const agentsGoneMsMax = 30_000;
const lookEveryMs = 1_000;
/** What is settled must stay so: looks in a row, and the time between two. */
const settledLooks = 3;
const settledEveryMs = 300;
const signInSecondsMin = 10;

export interface FieldOptions {
  readonly seed: number;
  readonly agents: number;
  /** How many clients only read, and how many send too. */
  readonly readers: number;
  readonly senders: number;
  readonly sends: {
    readonly everyMs: number;
    readonly unfinishedMax: number;
    readonly lines: number;
    readonly lineEveryMs: number;
  };
  /** How long a sign-in lasts unless it is renewed. */
  readonly signInSeconds: number;
  /** Whether the server tells what it has in use (`heapProbe.ts`). */
  readonly probesHeap?: boolean;
  /** Whether there are pages; a machine without a browser has none. */
  readonly hasPages: boolean;
}

export interface Field {
  readonly server: ServerProcess;
  readonly agents: readonly AgentPlayer[];
  readonly recorders: readonly RecorderPlayer[];
  /** The recorder's page, and the product's own. */
  readonly pages: { readonly recorder: PagePlayer; readonly product: PagePlayer } | undefined;
  readonly threads: readonly string[];
  readonly streams: readonly string[];
  readonly folder: string;
  /** The server's. */
  readonly data: string;
  readonly log: StoreLog;
  readonly incidents: Incident[];
  /** Lines of the server that were no lines of its log. */
  readonly strays: readonly string[];
  /** What the server had in use, line by line (`probesHeap`). */
  heapLines(): readonly HeapLine[];
  /** Sends one command to a thread, as this machine's owner: a request that the judge is told of. */
  send(thread: string, token: string, lines: number, lineEveryMs: number): Promise<void>;
  /** Nobody sends anything more. */
  quiet(): void;
  /** Waits until everybody has seen and ended everything; what was still on the way after `msMax`, if anything. */
  settle(msMax: number): Promise<string | undefined>;
  /** Ends all players, and the server last. */
  end(): Promise<void>;
  /** After `end`. */
  judge(isHealed: boolean): JudgeReport;
  /** Ends whatever still runs, by force, and removes the folder. */
  abandon(): Promise<void>;
}

export async function makeField(options: FieldOptions): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-processes-"));
  const data = join(folder, "data");
  const effectsFile = join(folder, "effects.jsonl");
  const heapFile = join(folder, "heap.jsonl");
  writeFileSync(effectsFile, "");
  writeFileSync(heapFile, "");
  const names = Array.from({ length: options.agents }, (_, index) => `agent-${index + 1}`);
  const keys = await makeKeys(data, names);

  const logLines: Observation[] = [];
  const strays: string[] = [];
  const server = makeServerProcess({
    data,
    port: await freePort(),
    environment: {
      HOLDFAST_SIGN_IN_LIFE_SECONDS: String(Math.max(signInSecondsMin, options.signInSeconds)),
      ...(options.probesHeap === true
        ? { NODE_OPTIONS: `--import ${new URL("heapProbe.ts", import.meta.url).href}`, HEAP_PROBE_FILE: heapFile }
        : {}),
      // AD-1: people of this run come back far more often than people do.
      HOLDFAST_ADMISSION_OPENINGS_PER_PRINCIPAL_PER_MINUTE: "1000",
    },
    onLog: (line) => logLines.push(lineOf(line)),
    onStray: (line) => strays.push(line),
  });
  await server.start();
  const log = makeStoreLog(data);
  const looking = setInterval(() => log.look(), lookEveryMs);
  const door: Door = { url: server.url, via: server.port, cookieFile: join(folder, "cookie") };
  await signIn(door, data);

  const agents = await Promise.all(
    names.map((name, index) =>
      makeAgentPlayer({
        name,
        serverPort: server.port,
        key: keys[index] ?? "",
        folder: join(folder, name),
        random: seeded(`${options.seed} link ${name}`),
      }),
    ),
  );
  for (const agent of agents) await agent.start();
  const threads = await makeThreads(door, names);
  const streams = ["fleet", "threads", ...threads.map((thread) => `thread/${thread}`)];

  const recorders = await Promise.all(
    Array.from({ length: options.readers + options.senders }, (_, index) => {
      const name = `client${index + 1}`;
      const own = join(folder, name);
      mkdirSync(own);
      return makeRecorderPlayer({
        serverPort: server.port,
        random: seeded(`${options.seed} link ${name}`),
        settings: {
          name,
          url: server.url,
          data,
          folder: own,
          streams,
          ...(index < options.senders
            ? { sends: { ...options.sends, threads, effects: effectsFile, seed: options.seed } }
            : {}),
        },
      });
    }),
  );
  for (const recorder of recorders) await recorder.start();
  const pages = options.hasPages ? await startPages(options, server, data, folder, streams, threads) : undefined;

  const incidents: Incident[] = [];
  const sent: Observation[] = [];
  const settle = async (msMax: number): Promise<string | undefined> => {
    const end = performance.now() + msMax;
    for (let looks = 0; ; ) {
      log.look();
      const unsettled = await findUnsettled(recorders, pages, streams, log);
      looks = unsettled === undefined ? looks + 1 : 0;
      if (looks === settledLooks) return undefined;
      if (performance.now() > end) return unsettled ?? "it is not settled for long enough";
      await pause(settledEveryMs);
    }
  };
  return {
    server,
    agents,
    recorders,
    pages,
    threads,
    streams,
    folder,
    data,
    log,
    incidents,
    strays,
    heapLines: () => readLines<HeapLine>(heapFile),
    async send(thread, token, lines, lineEveryMs) {
      sent.push({ kind: "requestIssued", at: Date.now(), request: token, client: "owner" });
      const text = printing(token, { lines, lineEveryMs, effects: effectsFile });
      const key = readFileSync(join(data, "operator.key"), "utf8").trim();
      const { status, body } = await ask(door, "POST", "/api/command.send", { key, body: { thread, text } });
      sent.push({
        kind: "requestSettled",
        at: Date.now(),
        request: token,
        outcome: status === 202 ? "result" : "error",
      });
      if (status !== 202) throw new Error(`command.send was refused with ${status}: ${JSON.stringify(body)}`);
    },
    quiet() {
      for (const recorder of recorders) recorder.tell("quiet");
    },
    settle,
    async end() {
      // Their going is told in `fleet`, which everybody is to have read before they go themselves.
      for (const agent of agents) await agent.end();
      await settle(agentsGoneMsMax);
      for (const recorder of recorders) await recorder.end();
      await pages?.recorder.end();
      for (const { command, outcome } of (await pages?.product.shown())?.ended ?? [])
        sent.push({ kind: "personTold", at: Date.now(), command, client: "page2", outcome });
      await pages?.product.end();
      clearInterval(looking);
      log.look();
      await server.drain();
      log.look();
    },
    judge: (isHealed) =>
      judgeHistory(
        {
          events: log.events,
          removed: log.compare(),
          effects: readLines<Effect>(effectsFile),
          records: [
            sent,
            ...recorders.map((recorder) => recorder.records()),
            ...(pages === undefined ? [] : [pages.recorder.records, pages.product.records]),
          ],
          logLines,
          incidents,
          lifeEnds: [...recorders.flatMap(({ lifeEnds }) => lifeEnds), ...(pages?.recorder.lifeEnds ?? [])],
        },
        isHealed,
      ),
    async abandon() {
      clearInterval(looking);
      endChildren();
      await pages?.recorder.close();
      await pages?.product.close();
      if (process.env["HOLDFAST_KEEP_FIELD"] === undefined)
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Keys for agents of other machines, made by the product on its own folder before it is run. */
async function makeKeys(data: string, names: readonly string[]): Promise<readonly string[]> {
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const app = new URL(import.meta.resolve("@holdfast/control/plugin"));
  const server = await createServer({ app, data, log: quiet });
  try {
    return await Promise.all(names.map((name) => server.agentKey(name)));
  } finally {
    await server.close();
  }
}

/** One thread with each agent, once all have registered. */
async function makeThreads(door: Door, names: readonly string[]): Promise<readonly string[]> {
  const listed = await until(
    async () => {
      const { body } = await ask(door, "POST", "/api/agent.list");
      const { items } = body as { readonly items: readonly { readonly id: string; readonly name: string }[] };
      return names.every((name) => items.some((item) => item.name === name)) ? items : undefined;
    },
    () => `the agents ${names.join(", ")} registered`,
    agentsMsMax,
  );
  const threads: string[] = [];
  for (const name of names) {
    const agent = listed.find((item) => item.name === name)?.id;
    const { status, body } = await ask(door, "POST", "/api/thread.create", { body: { agent, title: name } });
    if (status !== 200) throw new Error(`a thread with ${name} was refused with ${status}: ${JSON.stringify(body)}`);
    threads.push((body as { readonly thread: { readonly id: string } }).thread.id);
  }
  return threads;
}

async function startPages(
  options: FieldOptions,
  server: ServerProcess,
  data: string,
  folder: string,
  streams: readonly string[],
  threads: readonly string[],
): Promise<{ recorder: PagePlayer; product: PagePlayer }> {
  const script = await bundle(fileURLToPath(new URL("pageSource.ts", import.meta.url)));
  const signInOf = (name: string) => async (): Promise<string> => {
    const door: Door = { url: server.url, via: server.port, cookieFile: join(folder, `${name} cookie`) };
    await until(
      () =>
        signIn(door, data).then(
          () => true,
          () => undefined,
        ),
      () => `${name} signed in`,
      agentsMsMax,
    );
    return cookieOf(door) ?? "";
  };
  const make = async (name: string, what: Pick<Parameters<typeof makePagePlayer>[0], "recorder" | "path">) =>
    await makePagePlayer({
      name,
      url: server.url,
      serverPort: server.port,
      signIn: signInOf(name),
      random: seeded(`${options.seed} link ${name}`),
      ...what,
    });
  const recorder = await make("page1", { recorder: { script, streams } });
  const product = await make("page2", { path: `/threads/${threads[0]}` });
  await recorder.start();
  await product.start();
  return { recorder, product };
}

async function findUnsettled(
  recorders: readonly RecorderPlayer[],
  pages: Field["pages"],
  streams: readonly string[],
  log: StoreLog,
): Promise<string | undefined> {
  const heads = log.heads();
  const statuses = [
    ...recorders.map(({ name, status }) => ({ name, status })),
    ...(pages === undefined ? [] : [{ name: pages.recorder.name, status: await pages.recorder.status() }]),
  ];
  for (const { name, status } of statuses) {
    if (status === undefined) return `${name} says nothing`;
    if (status.state !== "live") return `${name} is ${status.state}`;
    if (status.outbox > 0) return `${name} waits for ${status.outbox} answers`;
    if (status.unfinished > 0) return `${name} waits for the end of ${status.unfinished} commands`;
    const behind = streams.find((stream) => status.offsets[stream] !== (heads.get(stream) ?? 0));
    if (behind !== undefined)
      return `${name} stands at ${status.offsets[behind]} of ${behind}, whose head is ${heads.get(behind)}`;
  }
  return pages === undefined ? undefined : await findUndrawn(pages.product, streams[2] ?? "", log);
}

/** What the product's page does not show yet of the thread that it is opened at. */
async function findUndrawn(product: PagePlayer, stream: string, log: StoreLog): Promise<string | undefined> {
  const shown = await product.shown();
  if (shown?.state !== "live") return `${product.name} shows itself as "${shown?.state}"`;
  const ofThread = log.events.filter((event) => event.stream === stream);
  const printed = ofThread.findLast(({ event }) => event === "terminal.output")?.offset ?? 0;
  if (shown.drawn < printed)
    return `${product.name} has drawn ${shown.drawn} of ${stream}, whose output ends at ${printed}`;
  const last = ofThread.findLast(({ event }) => event === "command.finished")?.data["command"];
  const isShown = last === undefined || shown.ended.some(({ command }) => command === last);
  return isShown ? undefined : `${product.name} does not show the end of command ${String(last)}`;
}

function lineOf({ level, time, event, ...fields }: Readonly<Record<string, unknown>>): Observation {
  return {
    kind: "logged",
    at: Number(time),
    node: "server",
    level: level as "debug" | "info" | "warn" | "error",
    event: String(event),
    fields,
  };
}
