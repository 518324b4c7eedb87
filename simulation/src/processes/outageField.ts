/**
 * Everybody who takes part in an outage of the database: a PostgreSQL behind a bad network, a server as people run it,
 * shell agents, a crowd that reads, and clients that send.
 *
 * Life cycle: database → proxy → server → agents and their threads → senders and crowd, all live → faults, by whoever
 * runs it → quiet → ended, and then judged. Invariant: nothing but the database's network ever fails here, so that
 * whatever else ends is a breach.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../../packages/server/test/support/postgresServer.ts";
import type { Observation } from "../judge/observation.ts";
import { type AgentPlayer, makeAgentPlayer } from "./agentPlayer.ts";
import { endChildren } from "./child.ts";
import { type Crowd, joinCrowd } from "./crowd.ts";
import { type FaultyProxy, startFaultyProxy } from "./faultyProxy.ts";
import type { Effect } from "./history.ts";
import { readLines } from "./jsonLines.ts";
import { printing } from "./person.ts";
import { pause, until } from "./player.ts";
import { type Query, readPostgresHeads } from "./postgresLog.ts";
import { makeRecorderPlayer, type RecorderPlayer } from "./recorderPlayer.ts";
import { seeded } from "./seeded.ts";
import { freePort, makeServerProcess, type ServerProcess } from "./serverProcess.ts";
import { ask, type Door } from "./signIn.ts";

const agentsMsMax = 60_000;
const sendersMsMax = 30_000;
const goneMsMax = 30_000;
const lookEveryMs = 200;
const socketName = ".s.PGSQL.5432";

export interface OutageFieldOptions {
  readonly clients: number;
  readonly agents: number;
  readonly senders: number;
}

/** One line of the server's log. */
export interface LogLine {
  readonly at: number;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface OutageField {
  /** Between the server and its database. */
  readonly proxy: FaultyProxy;
  /** Asks the database itself, past the proxy. */
  readonly query: Query;
  readonly server: ServerProcess;
  readonly agents: readonly AgentPlayer[];
  readonly senders: readonly RecorderPlayer[];
  readonly crowd: Crowd;
  readonly lines: readonly LogLine[];
  /** Requests of this field's own, for the judge. */
  readonly sent: readonly Observation[];
  effects(): readonly Effect[];
  /** Tells every agent to print a line each `everyMs`: the commands' ids. Rejects where one is refused. */
  print(name: string, lines: number, everyMs: number): Promise<readonly string[]>;
  /** Waits until all commands ended and all who write down have read all; what was still on the way, if anything. */
  settle(msMax: number): Promise<string | undefined>;
  /** Ends agents, senders and the server, in this order; the crowd before. */
  end(): Promise<void>;
  /** Ends whatever still runs, by force, and leaves nothing. */
  abandon(): Promise<void>;
}

export async function makeOutageField(options: OutageFieldOptions): Promise<OutageField> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-outage-"));
  const postgres = await startPostgres();
  const direct = new URL(await postgres.newDatabase());
  const query: Query = (text) => postgres.query(text, direct.href);
  const proxy = await startFaultyProxy({
    target: join(direct.searchParams.get("host") ?? "", socketName),
    random: seeded("database"),
  });
  const data = join(folder, "data");
  const effectsFile = join(folder, "effects.jsonl");
  writeFileSync(effectsFile, "");
  const lines: LogLine[] = [];
  const abandon = async (): Promise<void> => {
    endChildren();
    await proxy.close();
    await postgres.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const server = makeServerProcess({
      data,
      port: await freePort(),
      mode: "development",
      environment: { DATABASE_URL: `postgres://holdfast@127.0.0.1:${proxy.port}${direct.pathname}` },
      onLog: ({ level, time, event, ...fields }) =>
        void lines.push({ level: String(level), at: Number(time), event: String(event), fields }),
      onStray: (line) => void lines.push({ level: "stray", at: Date.now(), event: line, fields: {} }),
    });
    await server.start();
    const agents = await startAgents(options.agents, server, folder);
    const door: Door = { url: server.url, via: server.port, cookieFile: join(folder, "cookie") };
    const key = readFileSync(join(data, "operator.key"), "utf8").trim();
    const call = async (method: string, body: object): Promise<unknown> => {
      const { status, body: result } = await ask(door, "POST", `/api/${method}`, { key, body });
      if (status !== 200 && status !== 202)
        throw new Error(`${method} was refused with ${status}: ${JSON.stringify(result)}`);
      return result;
    };
    const ids = await agentIds(call, agents);
    const threads = await makeThreads(call, ids);
    // Those who send have threads of their own: what they send does not wait for what prints all the time.
    const sendersThreads = await makeThreads(call, ids.slice(0, options.senders));
    const senders = await startSenders(options.senders, { server, data, folder, effectsFile }, sendersThreads);
    const shares = threads.map((thread) => `thread/${thread}`);
    const crowd = await joinCrowd({
      count: options.clients,
      url: server.url,
      via: server.port,
      folder: join(folder, "crowd"),
      streams: ["fleet"],
      shares,
    });
    const sent: Observation[] = [];
    const everybody: Everybody = { query, senders, crowd, shares, clients: options.clients };
    return {
      proxy,
      query,
      server,
      agents,
      senders,
      crowd,
      lines,
      sent,
      effects: () => readLines<Effect>(effectsFile),
      async print(name, count, everyMs) {
        const commands: string[] = [];
        for (const [index, thread] of threads.entries()) {
          const token = `${name}-${index + 1}-1`;
          sent.push({ kind: "requestIssued", at: Date.now(), request: token, client: "owner" });
          const text = printing(token, { lines: count, lineEveryMs: everyMs, effects: effectsFile });
          const { command } = (await call("command.send", { thread, text })) as { readonly command: string };
          commands.push(command);
          sent.push({ kind: "requestSettled", at: Date.now(), request: token, outcome: "result" });
        }
        return commands;
      },
      settle: (msMax) => settle(everybody, msMax),
      async end() {
        // Their going is told in `fleet`, which those who write down are to have read before they go themselves.
        await Promise.all(agents.map((agent) => agent.end()));
        await until(
          () => allOffline(query),
          () => "all agents offline",
          goneMsMax,
        );
        const unread = await settle({ ...everybody, crowd: undefined }, goneMsMax);
        if (unread !== undefined) throw new Error(`after the agents had gone, ${unread}`);
        for (const sender of senders) await sender.end();
        await server.drain();
      },
      abandon,
    };
  } catch (error) {
    await abandon();
    throw error;
  }
}

export type Call = (method: string, body: object) => Promise<unknown>;

/** Where people and agents come: a server, or what stands before several. */
export type Place = Pick<ServerProcess, "url" | "port">;

export async function startAgents(count: number, server: Place, folder: string): Promise<readonly AgentPlayer[]> {
  const agents: AgentPlayer[] = [];
  for (let index = 1; index <= count; index += 1) {
    const name = `agent-${index}`;
    const random = seeded(name);
    const agent = await makeAgentPlayer({ name, serverPort: server.port, folder: join(folder, name), random });
    await agent.start();
    agents.push(agent);
  }
  return agents;
}

/** The ids of all of them, once all are online. */
export async function agentIds(call: Call, agents: readonly AgentPlayer[]): Promise<readonly string[]> {
  return await until(
    async () => {
      const { items } = (await call("agent.list", {})) as {
        readonly items: readonly { readonly id: string; readonly name: string; readonly status: string }[];
      };
      const online = agents.flatMap(({ name }) =>
        items.filter((item) => item.name === name && item.status === "online").map(({ id }) => id),
      );
      return online.length === agents.length ? online : undefined;
    },
    () => `${agents.length} agents online`,
    agentsMsMax,
  );
}

export async function allOffline(query: Query): Promise<true | undefined> {
  const rows = await query("select 1 from agents where status <> 'offline'");
  return rows.length === 0 ? true : undefined;
}

export async function makeThreads(call: Call, agents: readonly string[]): Promise<readonly string[]> {
  const threads: string[] = [];
  for (const agent of agents) {
    const made = (await call("thread.create", { agent, title: "outage" })) as { readonly thread: { id: string } };
    threads.push(made.thread.id);
  }
  return threads;
}

/** Clients whose requests wait on disk until they are answered (RQ-3): what they send meanwhile is decided afterwards. */
export async function startSenders(
  count: number,
  place: { server: Place; data: string; folder: string; effectsFile: string },
  threads: readonly string[],
): Promise<readonly RecorderPlayer[]> {
  const { server, data, folder, effectsFile } = place;
  const senders: RecorderPlayer[] = [];
  for (let index = 1; index <= count; index += 1) {
    const name = `sender${index}`;
    const own = join(folder, name);
    mkdirSync(own);
    const sends = {
      everyMs: 1_500,
      unfinishedMax: 4,
      lines: 5,
      lineEveryMs: 20,
      threads,
      effects: effectsFile,
      seed: 1,
    };
    const streams = ["fleet", ...threads.map((thread) => `thread/${thread}`)];
    const sender = await makeRecorderPlayer({
      serverPort: server.port,
      random: seeded(name),
      settings: { name, url: server.url, data, folder: own, streams, sends },
    });
    await sender.start();
    senders.push(sender);
  }
  await until(
    () => (senders.every(({ status }) => status?.state === "live") ? true : undefined),
    () => `${count} senders live`,
    sendersMsMax,
  );
  return senders;
}

/** Who is waited for. */
export interface Everybody {
  readonly query: Query;
  readonly senders: readonly RecorderPlayer[];
  /** Undefined once it is gone. */
  readonly crowd: Crowd | undefined;
  /** What each of the crowd reads besides `fleet`. */
  readonly shares: readonly string[];
  readonly clients: number;
}

export async function settle(everybody: Everybody, msMax: number): Promise<string | undefined> {
  for (const sender of everybody.senders) sender.tell("quiet");
  const end = performance.now() + msMax;
  for (;;) {
    const unsettled = await findUnsettled(everybody);
    if (unsettled === undefined || performance.now() > end) return unsettled;
    await pause(lookEveryMs);
  }
}

async function findUnsettled({ query, senders, crowd, shares, clients }: Everybody): Promise<string | undefined> {
  const open = (await query(
    `select data::json->>'command' as command, string_agg(substr(event, 9), ', ' order by "offset") as events
     from events join streams on streams.id = events.stream where name like 'thread/%'
     and event in ('command.queued', 'command.dispatched', 'command.started', 'command.finished')
     group by 1 having count(*) filter (where event = 'command.finished') = 0`,
  )) as readonly { command: string; events: string }[];
  if (open.length > 0)
    return `these commands have not ended: ${open.map(({ command, events }) => `${command} (${events})`).join(", ")}`;
  const heads = await readPostgresHeads(query);
  for (const { name, status } of senders) {
    if (status?.state !== "live") return `${name} is ${status?.state ?? "silent"}`;
    if (status.outbox > 0) return `${name} waits for ${status.outbox} answers`;
    if (status.unfinished > 0) return `${name} waits for the end of ${status.unfinished} commands`;
    const behind = Object.entries(status.offsets).find(([stream, offset]) => offset !== heads.get(stream));
    if (behind !== undefined)
      return `${name} stands at ${behind[1]} of ${behind[0]}, whose head is ${heads.get(behind[0])}`;
  }
  const toRead = Array.from(
    { length: clients },
    (_, index) => (heads.get("fleet") ?? 0) + (heads.get(shares[index % shares.length] ?? "") ?? 0),
  ).reduce((sum, events) => sum + events, 0);
  const read = crowd?.last()?.deliveries ?? toRead;
  return read === toRead ? undefined : `the crowd has read ${read} of ${toRead} events`;
}
