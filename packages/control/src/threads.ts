/**
 * Threads: pieces of work with one agent, each with a stream of its own.
 *
 * Life cycle: created (by hand, or by the first command to an agent) → active with each command → kept, and
 * archived where a person puts it away (`threadArchive.ts`). The
 * terminal of an interactive one is open from its creation until its program ends or the process that
 * holds it is replaced; it is never opened again: a new one is a new thread. Invariant: a thread exists, and
 * its stream with it, before anything names it (F31).
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Principal } from "@holdfast/server/plugin";
import type {
  InboxEventData,
  MethodParams,
  MethodResult,
  Thread,
  ThreadKind,
  ThreadServerEventData,
} from "../contract/index.ts";
import { streams, terminalOf } from "../contract/names.ts";
import { type AgentRow, capabilitiesOf, requireAgent } from "./agents.ts";
import { readNext, writeNext } from "./paging.ts";
import type { ControlRead, ControlTransaction, ThreadsTable } from "./tables.ts";
import { shorten, toLine } from "./text.ts";

/** CONTROL.md "Streams": the snapshot of `threads`. */
const snapshotThreadsMax = 200;
const titleLengthMax = 200;
/** Of a terminal before anybody says otherwise: `thread.create`'s and the agents' default. */
const defaultSize = { cols: 80, rows: 24 } as const;

const threadColumns = [
  "id",
  "agent",
  "kind",
  "title",
  "created_by",
  "created_at",
  "active_at",
  "terminal",
  "cols",
  "rows",
  "note",
  "archived_at",
] as const;
export type ThreadRow = Pick<ThreadsTable, (typeof threadColumns)[number]>;

/** Throws `not_found`. */
export async function requireThread(tx: ControlRead, id: string): Promise<ThreadRow> {
  const thread = await tx.db
    .selectFrom("threads")
    .select(threadColumns)
    .where("workspace", "=", tx.workspace)
    .where("id", "=", id)
    .executeTakeFirst();
  if (thread !== undefined) return thread;
  throw new ProtocolError("not_found", `there is no thread "${id}"`, { about: { type: "thread", id } });
}

/** `thread.create` */
export async function createThread(
  tx: ControlTransaction,
  params: MethodParams<"thread.create">,
  caller: Principal,
): Promise<MethodResult<"thread.create">> {
  const agent = await requireAgent(tx, params.agent);
  if (params.kind === "terminal") requireTerminals(agent);
  const titleByKind = { work: `Work with ${agent.name}`, terminal: `Terminal on ${agent.name}` } satisfies Record<
    ThreadKind,
    string
  >;
  const title = shorten(toLine(params.title ?? ""), titleLengthMax) || titleByKind[params.kind];
  const { cols, rows } = params;
  const thread = await addThread(tx, { agent: agent.id, kind: params.kind, title, createdBy: caller.id, cols, rows });
  if (params.kind === "terminal") {
    const data = {
      thread: thread.id,
      terminal: terminalOf(thread.id),
      generation: Number(agent.generation),
      cols,
      rows,
    };
    tx.append(streams.inbox(agent.id), {
      event: "terminal.open",
      data: data satisfies InboxEventData["terminal.open"],
    });
  }
  return { thread };
}

/** `thread.get` */
export async function getThread(
  tx: ControlRead,
  params: MethodParams<"thread.get">,
): Promise<MethodResult<"thread.get">> {
  return { thread: wholeThread(await requireThread(tx, params.thread)) };
}

/** `thread.rename` */
export async function renameThread(
  tx: ControlTransaction,
  params: MethodParams<"thread.rename">,
): Promise<MethodResult<"thread.rename">> {
  const row = await requireThread(tx, params.thread);
  const title = shorten(toLine(params.title), titleLengthMax);
  if (title === "")
    throw new ProtocolError("invalid_params", "the title is empty; give some words", { details: { field: "title" } });
  const thread = wholeThread({ ...row, title });
  if (title === row.title) return { thread };
  const update = tx.db.updateTable("threads").set({ title }).where("workspace", "=", tx.workspace);
  await update.where("id", "=", row.id).execute();
  tx.append(streams.threads, { event: "thread.changed", data: { thread } });
  return { thread };
}

/** Makes a thread and its stream, and tells of it. */
export async function addThread(
  tx: ControlTransaction,
  thread: {
    readonly agent: string;
    readonly kind: ThreadKind;
    readonly title: string;
    readonly createdBy: string;
    readonly cols?: number;
    readonly rows?: number;
  },
): Promise<Thread> {
  const row: ThreadRow = {
    id: tx.newId(),
    agent: thread.agent,
    kind: thread.kind,
    title: thread.title,
    created_by: thread.createdBy,
    created_at: tx.now,
    active_at: tx.now,
    terminal: "open",
    cols: thread.cols ?? defaultSize.cols,
    rows: thread.rows ?? defaultSize.rows,
    note: null,
    archived_at: null,
  };
  await tx.db
    .insertInto("threads")
    .values({ workspace: tx.workspace, ...row })
    .execute();
  tx.open(streams.thread(row.id));
  tx.append(streams.threads, { event: "thread.created", data: { thread: wholeThread(row) } });
  return wholeThread(row);
}

/**
 * A command was sent in it, or ended: moves it up, and tells so where that is news.
 * @param how `bringsBack`: out of the archive, too, since what is being done must be seen.
 */
export async function touchThread(
  tx: ControlTransaction,
  id: string,
  { bringsBack = false }: { readonly bringsBack?: boolean } = {},
): Promise<void> {
  const row = await requireThread(tx, id);
  const isBrought = bringsBack && row.archived_at !== null;
  if (Number(row.active_at) >= tx.now && !isBrought) return;
  const change = {
    active_at: Math.max(Number(row.active_at), tx.now),
    archived_at: isBrought ? null : row.archived_at,
  };
  const update = tx.db.updateTable("threads").set(change).where("workspace", "=", tx.workspace);
  await update.where("id", "=", id).execute();
  tx.append(streams.threads, { event: "thread.changed", data: { thread: wholeThread({ ...row, ...change }) } });
}

/** The process that held an agent's interactive terminals is gone, and they with it (F58). */
export async function closeTerminals(tx: ControlTransaction, agent: string, reason: string): Promise<void> {
  const open = tx.db
    .selectFrom("threads")
    .select("id")
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent);
  for (const { id } of await open
    .where("kind", "=", "terminal")
    .where("terminal", "=", "open")
    .orderBy("id")
    .execute()) {
    await closeTerminal(tx, id);
    const data = { terminal: terminalOf(id), reason } satisfies ThreadServerEventData["terminal.closed"];
    tx.append(streams.thread(id), { event: "terminal.closed", data });
  }
}

/** Its program has ended: nothing of this terminal follows. */
export async function closeTerminal(tx: ControlTransaction, thread: string): Promise<void> {
  await tx.db
    .updateTable("threads")
    .set({ terminal: "closed" })
    .where("workspace", "=", tx.workspace)
    .where("id", "=", thread)
    .execute();
}

/** The most recently active threads that are not archived: the snapshot of `threads` (ST-9). */
export async function readThreads(tx: ControlRead): Promise<Thread[]> {
  const rows = await newestFirst(tx).where("archived_at", "is", null).limit(snapshotThreadsMax).execute();
  return rows.map(wholeThread);
}

/** `thread.list` */
export async function listThreads(
  tx: ControlRead,
  params: MethodParams<"thread.list">,
): Promise<MethodResult<"thread.list">> {
  const { agent } = params;
  let query = newestFirst(tx).where("archived_at", params.archived ? "is not" : "is", null);
  if (agent !== undefined) query = query.where("agent", "=", agent);
  if (params.next !== undefined) {
    const [activeAt, id = ""] = readNext(params.next, 2);
    const before = Number(activeAt);
    query = query.where((columns) =>
      columns.or([
        columns("active_at", "<", before),
        columns.and([columns("active_at", "=", before), columns("id", "<", id)]),
      ]),
    );
  }
  const rows = await query.limit(params.limit + 1).execute();
  const items = rows.slice(0, params.limit).map(wholeThread);
  const last = items.at(-1);
  return rows.length > params.limit && last !== undefined
    ? { items, next: writeNext([String(last.activeAt), last.id]) }
    : { items };
}

function newestFirst(tx: ControlRead) {
  return tx.db
    .selectFrom("threads")
    .select(threadColumns)
    .where("workspace", "=", tx.workspace)
    .orderBy("active_at", "desc")
    .orderBy("id", "desc");
}

function requireTerminals(agent: AgentRow): void {
  if (agent.kind !== "shell" && !capabilitiesOf(agent).includes("terminal")) {
    throw new ProtocolError(
      "conflict",
      `agent "${agent.name}" of kind ${agent.kind} opens no terminals; choose a shell agent`,
      {
        about: { type: "agent", id: agent.id },
      },
    );
  }
  requireOnline(agent, "opens no terminal");
}

/** What is bound to the agent's present process cannot wait for it. Throws `agent_offline`. */
export function requireOnline(agent: AgentRow, consequence: string): void {
  if (agent.status === "online") return;
  throw new ProtocolError(
    "agent_offline",
    `agent "${agent.name}" is ${agent.status} and ${consequence}; start it first`,
    {
      about: { type: "agent", id: agent.id },
    },
  );
}

export function wholeThread(row: ThreadRow): Thread {
  return {
    id: row.id,
    agent: row.agent,
    kind: row.kind,
    title: row.title,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    activeAt: Number(row.active_at),
    ...(row.archived_at === null ? {} : { archivedAt: Number(row.archived_at) }),
  };
}
