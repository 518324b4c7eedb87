/**
 * The control centre over the server's real engine and a database in memory, with a clock that stands still.
 *
 * What a test says is an operation, as the gateway would send it; what it reads is the log and the snapshots.
 */
import { type Cursor, type ErrorBody, type HelloAgent, ProtocolError, uuidv7 } from "@holdfast/protocol";
import type { AgentWelcome, Principal } from "@holdfast/server/plugin";
import type { Kysely } from "kysely";
import { createEngine } from "../../../server/src/store/engine.ts";
import { defaultLifetimes } from "../../../server/src/store/lifetimes.ts";
import { migrate } from "../../../server/src/store/migrate.ts";
import type { Operation, PublishOutcome, Retained, RetainPlace, RetainStep } from "../../../server/src/store/port.ts";
import { openSqlite } from "../../../server/src/store/sqlite/dialect.ts";
import {
  type Agent,
  type ControlMethods,
  type MethodName,
  type MethodResult,
  methods,
  type Thread,
  type ThreadSnapshot,
} from "../../contract/index.ts";
import { streams } from "../../contract/names.ts";
import { plugin } from "../../src/plugin.ts";
import type { ControlTables } from "../../src/tables.ts";

const startMs = 1_780_000_000_000;
const everything = 1_000_000_000;

export interface LoggedEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly keyframe?: string;
}

/** An agent's process, as a test plays it. */
export interface FakeAgent {
  readonly id: string;
  readonly name: string;
  readonly generation: number;
  readonly inbox: string;
  readonly connection: string;
  readonly process: string;
  readonly principal: Principal;
}

export type Control = Awaited<ReturnType<typeof openControl>>;

export async function openControl(clock: { now: number } = { now: startMs }) {
  let seed = 1;
  const bytes = (count: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed & 0xff;
    });
  const newId = (): string => uuidv7(clock.now, bytes(10));
  const dialect = openSqlite({ file: ":memory:", readOnly: false });
  await migrate(dialect.kysely, [plugin]);
  const engine = createEngine({ dialect, plugins: [plugin], clock: { now: () => clock.now }, random: { bytes } });
  let queries = 0;
  const executor = dialect.kysely.getExecutor();
  const executeQuery = executor.executeQuery.bind(executor);
  executor.executeQuery = (...query) => {
    queries += 1;
    return executeQuery(...query);
  };
  let attempts = 0;
  const nextAttempt = (): number => {
    attempts += 1;
    return attempts;
  };
  const sequences = new Map<string, number>();
  const producers = new Map<string, string>();

  // One call at a time, as the store's worker does.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const result = last.then(run);
    last = result.catch(() => undefined);
    return result;
  };
  const commit = async (operation: Operation): Promise<unknown> => {
    const { outcomes, faults } = await alone(() => engine.commit([operation]));
    if (faults[0] !== undefined) throw faults[0].error;
    const [outcome] = outcomes;
    if (outcome === undefined) throw new Error("no outcome");
    if (outcome.ok) return outcome.value;
    throw ProtocolError.fromBody(outcome.error);
  };

  return {
    clock,
    newId,
    db: dialect.kysely as Kysely<ControlTables>,

    async call<Name extends MethodName>(
      method: Name,
      params: ControlMethods[Name]["params"],
      caller: Principal = person(),
    ): Promise<MethodResult<Name>> {
      const parsed: unknown = methods[method].params.parse(params);
      if (methods[method].kind === "read") {
        const { outcome, faults } = await alone(() => engine.query(caller, method, parsed));
        if (faults[0] !== undefined) throw faults[0].error;
        if (!outcome.ok) throw ProtocolError.fromBody(outcome.error);
        return outcome.value as MethodResult<Name>;
      }
      const id = newId();
      return (await commit({
        kind: "request",
        caller,
        id,
        method,
        params: parsed,
        hash: id,
      })) as MethodResult<Name>;
    },

    async hello(
      claims: Partial<HelloAgent> = {},
      as: {
        readonly key?: Principal["key"];
        readonly open?: boolean;
        readonly workspace?: string;
        readonly node?: string;
        /** The next one of its process where absent. */
        readonly attempt?: number;
      } = {},
    ): Promise<FakeAgent> {
      const workspace = as.workspace ?? "default";
      const connection = newId();
      const hello: HelloAgent = {
        name: "shell",
        kind: "shell",
        host: "host",
        capabilities: [],
        process: newId(),
        open: [],
        ...claims,
      };
      const caller = { ...person(workspace), ...(as.key === undefined ? {} : { key: as.key }) };
      const welcome = (await commit({
        kind: "agentHello",
        workspace,
        hello: {
          caller,
          hello,
          instance: hello.process,
          attempt: as.attempt ?? nextAttempt(),
          connection,
          open: as.open ?? as.key === undefined,
          ...(as.node === undefined ? {} : { node: as.node }),
        },
      })) as AgentWelcome;
      const { identity, inbox } = welcome;
      const principal: Principal = {
        kind: "agent",
        id: identity.id,
        name: identity.name,
        role: "agent",
        workspace,
        temporary: false,
      };
      return { ...identity, inbox, connection, process: hello.process, principal };
    },

    /** OP-8: as the gateway hands it over. */
    async acknowledge({ id: agent, generation, inbox }: FakeAgent, cursor: Cursor): Promise<void> {
      const process = { agent, generation };
      await commit({ kind: "ack", workspace: "default", stream: inbox, cursor, process });
    },

    /** Publishes to a thread; each event's verdict. Throws what refuses the whole. */
    async publish(
      agent: Pick<FakeAgent, "principal" | "generation">,
      thread: string,
      events: readonly { readonly event: string; readonly data: unknown; readonly keyframe?: string }[],
    ): Promise<(ErrorBody | null)[]> {
      const stream = streams.thread(thread);
      const key = `${agent.principal.id} ${agent.generation} ${stream}`;
      const producer = producers.get(key) ?? newId();
      producers.set(key, producer);
      const sequence = (sequences.get(key) ?? 0) + 1;
      const { principal: caller, generation } = agent;
      const value = await commit({ kind: "publish", caller, generation, stream, producer, sequence, events });
      const { rejected } = value as PublishOutcome;
      sequences.set(key, sequence + events.length - 1);
      return events.map((_, index) => rejected.find((one) => one.sequence === sequence + index)?.error ?? null);
    },

    task: (name: string, input: unknown = {}, workspace = "default") =>
      commit({ kind: "task", workspace, task: name, input }),

    async events(stream: string, workspace = "default"): Promise<LoggedEvent[]> {
      const { rows: events } = await dialect.read(workspace, stream, 0, everything, everything);
      return events.map(({ event, json, keyframe }) => ({
        event,
        data: JSON.parse(json) as Record<string, unknown>,
        ...(keyframe === undefined ? {} : { keyframe }),
      }));
    },

    /** The events that are there, by offset. */
    async log(stream: string): Promise<ReadonlyMap<number, LoggedEvent>> {
      const { rows } = await dialect.read("default", stream, 0, everything, everything);
      return new Map(
        rows.map(({ offset, event, json }) => [offset, { event, data: JSON.parse(json) as Record<string, unknown> }]),
      );
    },

    async fleet(workspace = "default"): Promise<Agent[]> {
      const snapshot = await alone(() => engine.snapshot(workspace, streams.fleet));
      return ((snapshot?.data?.["agents"] ?? []) as Agent[]).toSorted((left, right) => (left.id < right.id ? -1 : 1));
    },

    async threads(workspace = "default"): Promise<Thread[]> {
      const snapshot = await alone(() => engine.snapshot(workspace, streams.threads));
      return (snapshot?.data?.["threads"] ?? []) as Thread[];
    },

    snapshot: async (stream: string) => (await alone(() => engine.snapshot("default", stream)))?.data,

    /** The snapshot of a thread, and the offset that it stands at. */
    async thread(id: string): Promise<{ readonly offset: number; readonly data: ThreadSnapshot }> {
      const snapshot = await alone(() => engine.snapshot("default", streams.thread(id)));
      if (snapshot === null) throw new Error(`there is no stream of thread ${id}`);
      return { offset: snapshot.position.head, data: snapshot.data as unknown as ThreadSnapshot };
    },

    /** Runs retention over all streams, with the default lifetimes. */
    async retain(): Promise<void> {
      let from: RetainPlace | undefined = { stream: 0, offset: 0 };
      while (from !== undefined) {
        const step: RetainStep = { of: "events", from, lifetimes: defaultLifetimes };
        const retained = (await commit({ kind: "retain", step })) as Retained;
        from = retained.next;
      }
    },

    /** How many queries of handlers `run` costs. */
    async countQueries(run: () => Promise<unknown>): Promise<number> {
      const before = queries;
      await run();
      return queries - before;
    },

    exists: async (stream: string, workspace = "default") => (await dialect.position(workspace, stream)) !== null,
  };
}

export function person(workspace = "default", id = "ada"): Principal {
  return { kind: "person", id, name: "Ada", role: "operator", workspace, temporary: false };
}

/** What a promise is refused with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "accepted";
}

/** The state that a viewer of the fleet has who folded every event. */
export function foldFleet(events: readonly LoggedEvent[]): Agent[] {
  const agents = new Map<string, Agent>();
  for (const { data } of events) {
    const agent = data["agent"] as Agent;
    agents.set(agent.id, agent);
  }
  return [...agents.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
}

/** The codes of verdicts, `null` for accepted ones. */
export const codes = (verdicts: readonly (ErrorBody | null)[]): (string | null)[] =>
  verdicts.map((verdict) => verdict?.code ?? null);

export const started = (command: string) => ({ event: "command.started", data: { command } });
export const finished = (command: string, outcome = "completed", extras: Record<string, unknown> = {}) => ({
  event: "command.finished",
  data: { command, outcome, durationMs: 5, ...extras },
});
export const output = (terminal: string, text: string, command?: string) => ({
  event: "terminal.output",
  data: { terminal, data: Buffer.from(text).toString("base64"), ...(command === undefined ? {} : { command }) },
});
