/**
 * The app of the simulated deployment: the control centre beside a small board, as one plugin.
 *
 * The board is what a stranger's app would be: a stream whose events come from requests and whose snapshot is the
 * fold of them, logs that anybody publishes to, and methods that succeed, fail for good, and fail for a while. What
 * it appends says whose it is (`w`), which request made it (`r`), for whom (`u`), or which producer (`p`, `n`), so that who watches
 * needs no other source. Invariant: an effect is a row and an event of one transaction.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Plugin, PluginHost, PluginRuntime, Principal, StreamFamily, Transaction } from "@holdfast/server/plugin";
import { sql } from "kysely";
import { z } from "zod";
import { plugin as control } from "../../../packages/control/src/plugin.ts";

export const boardStream = "board";
export const logPrefix = "log/";
export const logs = [1, 2, 3].map((number) => `${logPrefix}${number}`);
/** One that nobody has opened: whoever reads it is refused (ST-18). */
export const unknownStream = `${logPrefix}none`;
export const workspaces = ["red", "blue"] as const;

/** What a published event may say to be refused for itself (PB-2). */
export const poisonEvent = "poison";

const token = z.string().max(200);

const isPerson: StreamFamily["mayRead"] = ({ kind }) => kind === "person";

async function addRow(tx: Transaction, request: string, user: string): Promise<void> {
  await sql`insert into board (workspace, request) values (${tx.workspace}, ${request})`.execute(tx.db);
  tx.append(boardStream, { event: "added", data: { w: tx.workspace, r: request, u: user } });
}

const board: Plugin = {
  name: "board",
  migrations: {
    "board-001": {
      up: async (db) => {
        await sql`create table board (id integer primary key, workspace text not null, request text not null)`.execute(
          db,
        );
      },
    },
  },
  methods: {
    "board.add": {
      params: z.object({ request: token }),
      role: "operator",
      kind: "effect",
      handle: async (tx: Transaction, { request }: { request: string }, caller: Principal) => {
        await addRow(tx, request, caller.id);
        return { request };
      },
    },
    /** Has its effect first, so that whoever refuses must undo it. */
    "board.refuse": {
      params: z.object({ request: token }),
      role: "operator",
      kind: "effect",
      handle: async (tx: Transaction, { request }: { request: string }, caller: Principal) => {
        await addRow(tx, request, caller.id);
        throw new ProtocolError("conflict", "refused, as asked");
      },
    },
    "board.break": {
      params: z.object({ request: token }),
      role: "operator",
      kind: "effect",
      handle: async (tx: Transaction, { request }: { request: string }, caller: Principal) => {
        await addRow(tx, request, caller.id);
        throw new TypeError("broken, as asked");
      },
    },
    "board.count": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx: Transaction) => ({ count: await countRows(tx) }),
    },
  },
  streams: [
    {
      name: boardStream,
      always: true,
      inbox: false,
      mayRead: isPerson,
      snapshot: async (tx) => {
        const { rows } = await sql<{ request: string }>`
          select request from board where workspace = ${tx.workspace} order by id`.execute(tx.db);
        return { requests: rows.map(({ request }) => request) };
      },
    },
    {
      name: logPrefix,
      always: false,
      inbox: false,
      lifetime: "records",
      mayRead: isPerson,
      rollUp: {
        key: (event, data) => (event === "line" ? (data as { readonly p: string }).p : undefined),
        join: (_event, data) => {
          const lines = data as readonly { readonly p: string; readonly w: string; readonly t: string }[];
          return { ...lines[0], t: lines.map(({ t }) => t).join("") };
        },
      },
      publish: async (tx, { stream, events, caller }) => {
        if (caller.kind !== "person") throw new ProtocolError("forbidden", "logs are people's");
        return events.map((event) => {
          if (event.event === poisonEvent) return new ProtocolError("invalid_params", "poison").toBody();
          tx.append(stream, event);
          return null;
        });
      },
    },
  ],
  tasks: {
    /** Logs exist before anybody reads or writes them. */
    "board.open": async (tx, { streams }: { readonly streams: readonly string[] }) => {
      for (const stream of streams) tx.open(stream);
      return null;
    },
  },
};

async function countRows(tx: Transaction): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from board where workspace = ${tx.workspace}`.execute(tx.db);
  return Number(rows[0]?.count ?? 0);
}

/** The control centre's runtime, and ours before it: logs exist before anybody comes. */
function start(host: PluginHost): PluginRuntime {
  const runtime = control.start?.(host);
  if (runtime === undefined) throw new TypeError("the control centre has no runtime");
  return {
    ...runtime,
    async started() {
      for (const workspace of workspaces) await host.run("board.open", { streams: logs }, workspace);
      await runtime.started();
    },
  };
}

/** Both, as the one app that a server takes. */
export const app: Plugin = {
  ...control,
  name: "simulated",
  migrations: { ...control.migrations, ...board.migrations },
  methods: { ...control.methods, ...board.methods },
  streams: [...control.streams, ...board.streams],
  tasks: { ...control.tasks, ...board.tasks },
  start,
};
