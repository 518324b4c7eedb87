/**
 * Nodes in the store: their beats, the burial of dead ones, and what a node takes back that was buried alive.
 *
 * A row is one node that holds connections. Life cycle: first beat → beats → buried by another node that saw it
 * stand still, only if it still stands there; a node that finds itself buried beats anew and takes its agents back.
 * Invariant: an agent whose node has no row is nobody's, and its status is for any living node to judge.
 */
import { announceAgents, findAgent, lockAgent, requireAgent } from "./agents.ts";
import type { NodeBeat } from "./leases.ts";
import type { PresentAgent } from "./presenceTasks.ts";
import { dispatchNext } from "./queue.ts";
import type { ControlTransaction } from "./tables.ts";

export interface Beat {
  /** Whether this node had no row: it is new, or it was buried. */
  readonly isNew: boolean;
  readonly nodes: readonly NodeBeat[];
  /** Of every workspace: those that are shown as there, and whose node has no row. */
  readonly orphans: readonly PresentAgent[];
}

export async function beat(tx: ControlTransaction, { node }: { readonly node: string }): Promise<Beat> {
  const known = await tx.db.selectFrom("control_nodes").select("beat").where("node", "=", node).executeTakeFirst();
  const next = known === undefined ? 1 : Number(known.beat) + 1;
  await tx.db
    .insertInto("control_nodes")
    .values({ node, beat: next })
    .onConflict((conflict) => conflict.column("node").doUpdateSet({ beat: next }))
    .execute();
  const rows = await tx.db.selectFrom("control_nodes").selectAll().orderBy("node").execute();
  return {
    isNew: known === undefined,
    nodes: rows.map((row) => ({ node: row.node, beat: Number(row.beat) })),
    orphans: await orphansOf(tx),
  };
}

async function orphansOf(tx: ControlTransaction): Promise<PresentAgent[]> {
  const rows = await tx.db
    .selectFrom("agents")
    .leftJoin("control_nodes", "control_nodes.node", "agents.node")
    .select(["agents.workspace", "agents.id", "agents.connection"])
    .where("agents.status", "!=", "offline")
    .where("control_nodes.node", "is", null)
    .orderBy("agents.workspace")
    .orderBy("agents.id")
    .execute();
  return rows.flatMap(({ workspace, id, connection }) => (connection === null ? [] : [{ workspace, id, connection }]));
}

/** Ends the rows of nodes that stand where they were seen standing. */
export async function bury(tx: ControlTransaction, { nodes }: { readonly nodes: readonly NodeBeat[] }): Promise<null> {
  for (const { node, beat: stood } of nodes)
    await tx.db.deleteFrom("control_nodes").where("node", "=", node).where("beat", "=", stood).execute();
  return null;
}

/** Makes the agents of this transaction's workspace `online` again that this node has held all along. */
export async function reclaim(
  tx: ControlTransaction,
  input: { readonly node: string; readonly agents: readonly { readonly id: string; readonly connection: string }[] },
): Promise<null> {
  const taken: string[] = [];
  for (const { id, connection } of [...input.agents].sort((left, right) => (left.id < right.id ? -1 : 1))) {
    // Removed meanwhile: its connection here is nobody's any more.
    if ((await findAgent(tx, id)) === undefined) continue;
    const agent = await lockAgent(tx, id);
    // Another connection owns it by now, or one on another node (X6).
    if (agent.node !== input.node || (agent.connection !== null && agent.connection !== connection)) continue;
    await tx.db
      .updateTable("agents")
      .set({ status: "online", connection, ...(agent.status === "online" ? {} : { status_at: tx.now }) })
      .where("workspace", "=", tx.workspace)
      .where("id", "=", id)
      .execute();
    // What was sent to it meanwhile waited for it, and nothing else would hand it over (I8).
    await dispatchNext(tx, await requireAgent(tx, id));
    taken.push(id);
  }
  await announceAgents(tx, taken);
  return null;
}
