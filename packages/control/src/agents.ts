/**
 * Agents as the fleet sees them: rows, the whole agent made of them, and its events.
 *
 * What an agent is busy with is not stored twice: it is read from its commands. {@link announceAgents} is
 * the only place that tells the fleet: at the end of whatever may have changed an agent it compares the
 * whole of it with what was last told, and says something only where that differs (F19, F56). It
 * deliberately does not judge connections (presence) or credentials (enrolment).
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Agent, MethodParams, MethodResult } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { readNext, writeNext } from "./paging.ts";
import type { AgentsTable, ControlRead, ControlTransaction, RemovedAgentsTable } from "./tables.ts";
import { shorten } from "./text.ts";

const commandTextLengthMax = 200;
/** Up to so many agents their commands are asked for by id, beyond that all at once. */
const namedIdsMax = 200;

const agentColumns = [
  "id",
  "name",
  "asked_name",
  "kind",
  "host",
  "capabilities",
  "key_id",
  "generation",
  "status",
  "status_at",
  "connection",
  "node",
  "revision",
  "returning",
  "created_at",
] as const;
export type AgentRow = Pick<AgentsTable, (typeof agentColumns)[number]>;

export async function findAgent(tx: ControlRead, id: string): Promise<AgentRow | undefined> {
  return tx.db
    .selectFrom("agents")
    .select(agentColumns)
    .where("workspace", "=", tx.workspace)
    .where("id", "=", id)
    .executeTakeFirst();
}

/** Throws `not_found`. */
export async function requireAgent(tx: ControlRead, id: string): Promise<AgentRow> {
  const agent = await findAgent(tx, id);
  if (agent !== undefined) return agent;
  throw unknownAgent(id, await findRemoved(tx, id));
}

/** One that was removed (`agentRemoval.ts`). */
export async function findRemoved(tx: ControlRead, id: string): Promise<RemovedAgentsTable | undefined> {
  const removed = tx.db.selectFrom("removed_agents").selectAll().where("workspace", "=", tx.workspace);
  return removed.where("id", "=", id).executeTakeFirst();
}

/**
 * The same, and until the transaction ends nobody else changes this agent or its queue: the update takes
 * the row's lock on every database. Its new `revision` gives a command its place. Throws `not_found`.
 */
export async function lockAgent(tx: ControlTransaction, id: string): Promise<AgentRow> {
  await tx.db
    .updateTable("agents")
    .set((columns) => ({ revision: columns("revision", "+", 1) }))
    .where("workspace", "=", tx.workspace)
    .where("id", "=", id)
    .execute();
  return requireAgent(tx, id);
}

export function capabilitiesOf(agent: Pick<AgentRow, "capabilities">): string[] {
  return JSON.parse(agent.capabilities) as string[];
}

/** Tells the fleet of those agents that differ from what it was last told. */
export async function announceAgents(tx: ControlTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await tx.db
    .selectFrom("agents")
    .select([...agentColumns, "announced"])
    .where("workspace", "=", tx.workspace)
    .where("id", "in", ids)
    .orderBy("id")
    .execute();
  const agents = await wholeAgents(tx, rows);
  for (const [index, agent] of agents.entries()) {
    const before = rows[index]?.announced;
    const announced = JSON.stringify(agent);
    if (announced === before) continue;
    await tx.db
      .updateTable("agents")
      .set({ announced })
      .where("workspace", "=", tx.workspace)
      .where("id", "=", agent.id)
      .execute();
    tx.append(streams.fleet, { event: before === "" ? "agent.registered" : "agent.changed", data: { agent } });
  }
}

/** All agents of the workspace, by name: the fleet's snapshot (ST-9). */
export async function readFleet(tx: ControlRead): Promise<Agent[]> {
  const rows = await tx.db
    .selectFrom("agents")
    .select(agentColumns)
    .where("workspace", "=", tx.workspace)
    .orderBy("name")
    .execute();
  return wholeAgents(tx, rows);
}

/** `agent.list` */
export async function listAgents(
  tx: ControlRead,
  params: MethodParams<"agent.list">,
): Promise<MethodResult<"agent.list">> {
  const after = params.next === undefined ? undefined : readNext(params.next, 1)[0];
  let query = tx.db.selectFrom("agents").select(agentColumns).where("workspace", "=", tx.workspace);
  if (after !== undefined) query = query.where("name", ">", after);
  const rows = await query
    .orderBy("name")
    .limit(params.limit + 1)
    .execute();
  const items = await wholeAgents(tx, rows.slice(0, params.limit));
  const last = items.at(-1);
  return rows.length > params.limit && last !== undefined ? { items, next: writeNext([last.name]) } : { items };
}

/** The whole of each agent, in the order of the rows: three queries, however many they are. */
export async function wholeAgents(tx: ControlRead, rows: readonly AgentRow[]): Promise<Agent[]> {
  if (rows.length === 0) return [];
  const unfinished = tx.db.selectFrom("commands").where("workspace", "=", tx.workspace);
  const ids = rows.map((row) => row.id);
  const few = rows.length <= namedIdsMax;
  const queued = await unfinished
    .select((columns) => ["agent", columns.fn.countAll<number>().as("count")])
    .where("state", "=", "queued")
    .$if(few, (query) => query.where("agent", "in", ids))
    .groupBy("agent")
    .execute();
  const underWay = await unfinished
    .select(["id", "agent", "text", "state"])
    .where("state", "in", ["dispatched", "started"])
    .$if(few, (query) => query.where("agent", "in", ids))
    .orderBy("ordinal", "desc")
    .execute();
  const queuedOf = new Map(queued.map((row) => [row.agent, Number(row.count)]));
  // A started command wins over a dispatched one, then the older.
  const commandOf = new Map<string, (typeof underWay)[number]>();
  for (const state of ["dispatched", "started"] as const) {
    for (const row of underWay) if (row.state === state) commandOf.set(row.agent, row);
  }
  return rows.map((row) => {
    const command = commandOf.get(row.id);
    return {
      id: row.id,
      name: row.name,
      kind: row.kind,
      host: row.host,
      capabilities: capabilitiesOf(row),
      status: row.status,
      activity: command?.state === "started" ? "working" : "idle",
      command: command?.id ?? null,
      commandText: command === undefined ? null : shorten(command.text, commandTextLengthMax),
      queued: queuedOf.get(row.id) ?? 0,
      generation: Number(row.generation),
      createdAt: Number(row.created_at),
      statusAt: Number(row.status_at),
    };
  });
}

export function unknownAgent(id: string, removed?: Pick<RemovedAgentsTable, "name">): ProtocolError {
  const words = removed === undefined ? `there is no agent "${id}"` : `agent "${removed.name}" was removed`;
  return new ProtocolError("not_found", words, { about: { type: "agent", id } });
}
