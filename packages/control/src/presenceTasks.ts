/**
 * Status in the store: changes of presence as compare-and-set on the agent's connection.
 *
 * Invariants: a change speaks for ended connections and is applied only where the row still names one of them
 * (X6); one that would change nothing writes nothing and tells nothing (F56); what an offline agent was
 * connected by is cleared with its status (F52). A database outage changes no status: these simply do not run.
 */
import { announceAgents, findAgent, lockAgent } from "./agents.ts";
import type { PresenceChange } from "./presence.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";

export interface PresentAgent {
  readonly workspace: string;
  readonly id: string;
  readonly connection: string;
}

/** Of every workspace: the agents that the store shows as there. Asked once, at start (F58). */
export async function readPresent(tx: ControlRead): Promise<PresentAgent[]> {
  const rows = await tx.db
    .selectFrom("agents")
    .select(["workspace", "id", "connection"])
    .where("status", "!=", "offline")
    .orderBy("workspace")
    .orderBy("id")
    .execute();
  return rows.flatMap(({ workspace, id, connection }) => (connection === null ? [] : [{ workspace, id, connection }]));
}

/** Changes of agents of this transaction's workspace. */
export async function changePresence(
  tx: ControlTransaction,
  input: { readonly changes: readonly PresenceChange[] },
): Promise<null> {
  const changed = new Set<string>();
  for (const change of [...input.changes].sort((left, right) => (left.id < right.id ? -1 : 1))) {
    if (await apply(tx, change)) changed.add(change.id);
  }
  await announceAgents(tx, [...changed]);
  return null;
}

async function apply(tx: ControlTransaction, change: PresenceChange): Promise<boolean> {
  if (!owns(change, await findAgent(tx, change.id))) return false;
  const agent = await lockAgent(tx, change.id);
  if (!owns(change, agent)) return false;
  if (change.isOrphan === true && (await lives(tx, agent.node))) return false;
  const values =
    change.to === "adopted"
      ? { connection: change.by ?? agent.connection }
      : { status: change.to, status_at: tx.now, ...(change.to === "offline" ? { connection: null } : {}) };
  await tx.db
    .updateTable("agents")
    .set(values)
    .where("workspace", "=", tx.workspace)
    .where("id", "=", change.id)
    .execute();
  return change.to !== "adopted";
}

/** A node that was taken for dead, and beats again, has its agents back (I5). */
async function lives(tx: ControlTransaction, node: string | null): Promise<boolean> {
  if (node === null) return false;
  return (
    (await tx.db.selectFrom("control_nodes").select("node").where("node", "=", node).executeTakeFirst()) !== undefined
  );
}

/** Looked at before and, since another node may be quicker, after the lock is held. */
function owns(
  change: PresenceChange,
  agent: { readonly connection: string | null; readonly status: string } | undefined,
): boolean {
  if (agent === undefined || agent.connection === null) return false;
  return change.from.includes(agent.connection) && agent.status !== change.to;
}
