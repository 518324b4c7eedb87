/**
 * What happens because time passes: commands that expire, returns that are judged, answers whose assistant is gone.
 *
 * Looking ({@link readDue}) and doing ({@link sweep}) are two tasks: looking writes nothing, and the doing runs
 * once per workspace that has something due. Both are judged by the store's clock, so an expiry does not
 * depend on who was awake.
 */
import { announceAgents, lockAgent } from "./agents.ts";
import { commandColumns, commandsOf, dispatchNext, expire, isLate, lose } from "./queue.ts";
import { returnCheckMs, settleDueReturns } from "./returns.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";

/** In one transaction; the next look finds the others. */
const expiredAtOnce = 500;
const unstarted = ["queued", "dispatched"] as const;
/**
 * From `offline`, which follows 15 s after a connection's end: who waits for an answer hears within 30 s that it is
 * lost (CONTROL.md "Chat"). Of other agents nothing is lost by their absence: what they run goes on.
 */
export const assistantGoneMs = 10_000;

export interface Due {
  /** Those with something to do now. */
  readonly workspaces: readonly string[];
  /** Where nothing is due now: how long until something is, in ms; null: nothing can. */
  readonly inMs: number | null;
}

/** Of every workspace. */
export async function readDue(tx: ControlRead): Promise<Due> {
  const expiries = await tx.db
    .selectFrom("commands")
    .select((columns) => ["workspace", columns.fn.min("expires_at").as("at")])
    .where("state", "in", unstarted)
    .groupBy("workspace")
    .execute();
  const checks = await tx.db
    .selectFrom("return_checks")
    .select((columns) => ["workspace", columns.fn.min("due_at").as("at"), columns.fn.max("due_at").as("last")])
    .groupBy("workspace")
    .execute();
  const all = [
    ...expiries.map(({ workspace, at }) => ({ workspace, at: Number(at) })),
    // No check lies farther ahead than it was made: by a clock that was set back since.
    ...checks.map(({ workspace, at, last }) => ({
      workspace,
      at: Number(last) > tx.now + returnCheckMs ? tx.now : Number(at),
    })),
  ];
  const gone = await goneAssistants(tx);
  all.push(...gone.map(({ workspace, status_at }) => ({ workspace, at: Number(status_at) + assistantGoneMs })));
  const later = all.filter((row) => row.at > tx.now).map((row) => row.at - tx.now);
  return {
    workspaces: [...new Set(all.filter((row) => row.at <= tx.now).map((row) => row.workspace))].sort(),
    inMs: later.length === 0 ? null : Math.min(...later),
  };
}

/** Does what is due in this transaction's workspace. */
export async function sweep(tx: ControlTransaction): Promise<null> {
  const late = await lateOf(tx);
  const agents = [...new Set(late.map((command) => command.agent))].sort();
  for (const agent of agents) {
    const locked = await lockAgent(tx, agent);
    for (const command of await lateOf(tx, agent)) await expire(tx, command);
    await dispatchNext(tx, locked);
  }
  await announceAgents(tx, agents);
  await settleDueReturns(tx);
  await loseWithAssistants(tx);
  return null;
}

/** Assistants that are away, and had an answer under way; of every workspace. */
async function goneAssistants(tx: ControlRead) {
  return tx.db
    .selectFrom("agents")
    .innerJoin("commands", (join) =>
      join.onRef("commands.workspace", "=", "agents.workspace").onRef("commands.agent", "=", "agents.id"),
    )
    .select(["agents.workspace", "agents.id", "agents.status_at"])
    .distinct()
    .where("agents.kind", "=", "assistant")
    .where("agents.status", "=", "offline")
    .where("commands.state", "=", "started")
    .orderBy("agents.id")
    .execute();
}

async function loseWithAssistants(tx: ControlTransaction): Promise<void> {
  const gone = (await goneAssistants(tx)).filter(
    ({ workspace, status_at }) => workspace === tx.workspace && Number(status_at) + assistantGoneMs <= tx.now,
  );
  for (const { id } of gone) {
    const agent = await lockAgent(tx, id);
    if (agent.status !== "offline") continue;
    for (const command of await commandsOf(tx, id, ["started"])) await lose(tx, command, "the assistant is gone");
  }
  await announceAgents(
    tx,
    gone.map(({ id }) => id),
  );
}

/** Commands that did not start in time; of one agent read again under its lock. */
async function lateOf(tx: ControlTransaction, agent?: string) {
  const rows = await tx.db
    .selectFrom("commands")
    .select(commandColumns)
    .where("workspace", "=", tx.workspace)
    .where("state", "in", unstarted)
    .where("expires_at", "<=", tx.now)
    .$if(agent !== undefined, (query) => query.where("agent", "=", agent ?? ""))
    .orderBy("expires_at")
    .orderBy("ordinal")
    .limit(expiredAtOnce)
    .execute();
  return rows.filter((row) => isLate(tx, row));
}
