/**
 * Everybody who takes part where two servers share a PostgreSQL: the servers as people run them, a balancer before them,
 * shell agents, a crowd that reads, and clients that send.
 *
 * Life cycle: database → both servers → balancer → agents and their threads → senders and crowd, all live → whatever
 * befalls the servers, by whoever runs it → quiet → ended, and then judged. Invariant: everybody comes by the balancer's
 * address, which is the servers' public one (AU-5); nobody knows how many there are.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../../packages/server/test/support/postgresServer.ts";
import type { Observation } from "../judge/observation.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import { endChildren } from "./child.ts";
import { type Crowd, joinCrowd } from "./crowd.ts";
import type { Effect, Incident } from "./history.ts";
import { readWholeLines } from "./jsonLines.ts";
import type { OlderProgram } from "./olderProgram.ts";
import { agentIds, allOffline, type Everybody, makeThreads, settle, startAgents, startSenders } from "./outageField.ts";
import { printing } from "./person.ts";
import { until } from "./player.ts";
import type { Query } from "./postgresLog.ts";
import type { RecorderPlayer } from "./recorderPlayer.ts";
import { freePort, makeServerProcess, type ServerProcess } from "./serverProcess.ts";
import { ask, type Door } from "./signIn.ts";

const goneMsMax = 60_000;
/** Of each command that prints: a line so often, and so many of them that it outlasts what is measured with it. */
const lineEveryMs = 100;
const linesPrinted = 300;

export interface NodesFieldOptions {
  readonly clients: number;
  readonly agents: number;
  readonly senders: number;
  /** What both servers run at first, until they are restarted; absent: the same as afterwards. */
  readonly older?: OlderProgram | undefined;
}

/** Its starts from now on have a bus and today's program, or no bus that hears anything and what it began with. */
export type NodeProcess = Pick<ServerProcess, "start" | "kill" | "drain"> & { hearsNotices: boolean };

export interface TwoNodes {
  readonly a: NodeProcess;
  readonly b: NodeProcess;
}

export interface NodesField {
  readonly nodes: TwoNodes;
  readonly balancer: Balancer;
  readonly query: Query;
  readonly crowd: Crowd;
  readonly senders: readonly RecorderPlayer[];
  readonly sent: readonly Observation[];
  readonly incidents: readonly Incident[];
  effects(): readonly Effect[];
  /** Tells every agent to print lines for a while. */
  print(name: string): Promise<void>;
  /** What befalls a server, for the judge. */
  incident(kind: "kill" | "drain", befall: () => Promise<void>): Promise<void>;
  /** More clients, of a process of their own. */
  join(name: string, count: number): Promise<Crowd>;
  settle(msMax: number): Promise<string | undefined>;
  end(): Promise<void>;
  abandon(): Promise<void>;
}

export async function makeNodesField(options: NodesFieldOptions): Promise<NodesField> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-nodes-"));
  const postgres = await startPostgres();
  const url = await postgres.newDatabase();
  const query: Query = (text) => postgres.query(text, url);
  const effectsFile = join(folder, "effects.jsonl");
  writeFileSync(effectsFile, "");
  const port = await freePort();
  let balancer: Balancer | undefined;
  const abandon = async (): Promise<void> => {
    endChildren();
    await balancer?.close();
    await postgres.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const ports = [await freePort(), await freePort()] as const;
    const data = join(folder, "a");
    const nodes: TwoNodes = {
      a: makeNode({ url, data, port: ports[0], publicPort: port, older: options.older }),
      b: makeNode({ url, data: join(folder, "b"), port: ports[1], publicPort: port, older: options.older }),
    };
    await nodes.a.start();
    await nodes.b.start();
    const front = await startBalancer(ports, port);
    balancer = front;
    const agents = await startAgents(options.agents, front, folder);
    const door: Door = { url: front.url, via: front.port, cookieFile: join(folder, "cookie") };
    const key = (): string => readFileSync(join(data, "operator.key"), "utf8").trim();
    const call = async (method: string, body: object): Promise<unknown> => {
      const { status, body: result } = await ask(door, "POST", `/api/${method}`, { key: key(), body });
      if (status !== 200 && status !== 202)
        throw new Error(`${method} was refused with ${status}: ${JSON.stringify(result)}`);
      return result;
    };
    const ids = await agentIds(call, agents);
    const threads = await makeThreads(call, ids);
    const sendersThreads = await makeThreads(call, ids.slice(0, options.senders));
    const shares = threads.map((thread) => `thread/${thread}`);
    const sent: Observation[] = [];
    const incidents: Incident[] = [];
    const print: NodesField["print"] = async (name) => {
      for (const [index, thread] of threads.entries()) {
        const token = `${name}-${index + 1}-1`;
        sent.push({ kind: "requestIssued", at: Date.now(), request: token, client: "owner" });
        const text = printing(token, { lines: linesPrinted, lineEveryMs, effects: effectsFile });
        await call("command.send", { thread, text });
        sent.push({ kind: "requestSettled", at: Date.now(), request: token, outcome: "result" });
      }
    };
    const joinAs = (name: string, count: number): Promise<Crowd> => {
      mkdirSync(join(folder, name));
      return joinCrowd({
        count,
        url: front.url,
        via: front.port,
        folder: join(folder, name),
        streams: ["fleet"],
        shares,
      });
    };
    const senders = await startSenders(options.senders, { server: front, data, folder, effectsFile }, sendersThreads);
    await print("begin");
    const crowd = await joinAs("crowd", options.clients);
    const everybody: Everybody = { query, senders, crowd, shares, clients: options.clients };
    return {
      nodes,
      balancer: front,
      query,
      crowd,
      senders,
      sent,
      incidents,
      effects: () => readWholeLines<Effect>(effectsFile),
      print,
      async incident(kind, befall) {
        const beganAt = Date.now();
        await befall();
        incidents.push({ target: "server", kind, beganAt, endedAt: Date.now() });
      },
      join: joinAs,
      settle: (msMax) => settle(everybody, msMax),
      async end() {
        await Promise.all(agents.map((agent) => agent.end()));
        await until(
          () => allOffline(query),
          () => "all agents offline",
          goneMsMax,
        );
        const unread = await settle({ ...everybody, crowd: undefined }, goneMsMax);
        if (unread !== undefined) throw new Error(`after the agents had gone, ${unread}`);
        for (const sender of senders) await sender.end();
        for (const node of [nodes.a, nodes.b]) await node.drain();
      },
      abandon,
    };
  } catch (error) {
    await abandon();
    throw error;
  }
}

interface NodeSettings {
  readonly url: string;
  readonly data: string;
  readonly port: number;
  readonly publicPort: number;
  readonly older: OlderProgram | undefined;
}

function makeNode({ url, data, port, publicPort, older }: NodeSettings): NodeProcess {
  const process = (busUrl: string, program?: string): ServerProcess =>
    makeServerProcess({
      ...(program !== undefined && { program }),
      data,
      port,
      mode: "development",
      environment: {
        DATABASE_URL: url,
        BUS_DATABASE_URL: busUrl,
        HOLDFAST_PUBLIC_URL: `http://127.0.0.1:${publicPort}`,
      },
      onLog: () => {},
      onStray: () => {},
    });
  const deaf = new URL(url);
  deaf.pathname = "/nowhere";
  const [silent, hearing] = [process(deaf.href, older?.folder), process(url)];
  let current = silent;
  const node: NodeProcess = {
    hearsNotices: false,
    async start() {
      current = node.hearsNotices ? hearing : silent;
      await current.start();
    },
    kill: () => current.kill(),
    drain: () => current.drain(),
  };
  return node;
}
