/**
 * What becomes of an agent's commands when it comes back (CONTROL.md "On return").
 *
 * Its `hello` names in `open` every command that it still answers for. Of the others under way:
 * - *never started*: handed over once more, whatever its inbox cursor says. A transaction knows no offsets, and
 *   needs none: if the first delivery is still to come the command is delivered twice, and PB-5 accepts one
 *   claim. It keeps its place before everything that is queued.
 * - *started*: it can no longer end by its agent's word. It ends as `lost`, but not by the `hello` itself:
 *   the agent's first publish may still bring its end, and only after that, or after 30 s, is it judged.
 *   But a new process of an assistant brings nothing of the one before, and a person waits: it is judged at once.
 * Invariant: a command that was started is never handed over again, so it runs at most once (I8).
 */
import { announceAgents, lockAgent, requireAgent } from "./agents.ts";
import { commandColumns, commandsOf, dispatchAgain, dispatchNext, lose } from "./queue.ts";
import type { ControlTransaction } from "./tables.ts";

/** Nothing that was started is ended by a `hello` before this, or the agent's first publish. */
export const returnCheckMs = 30_000;

/** The agent's lock is held. `brings`: what it may still publish of what it does not name. */
export async function judgeReturn(
  tx: ControlTransaction,
  agent: string,
  open: readonly string[],
  brings: "perhaps" | "nothing" = "perhaps",
): Promise<void> {
  const answeredFor = new Set(open);
  const missing = (await commandsOf(tx, agent, ["dispatched", "started"])).filter(
    (command) => !answeredFor.has(command.id),
  );
  for (const command of missing) if (command.state === "dispatched") await dispatchAgain(tx, command);
  const started = missing.filter((command) => command.state === "started");
  if (brings === "nothing") for (const command of started) await lose(tx, command, "the assistant was started anew");
  const checked = brings === "nothing" ? [] : started.map((command) => command.id);
  await replaceChecks(tx, agent, checked);
}

/**
 * Ends what its agent came back without. Called with the agent's lock held, after its first publish was
 * applied, or when a check is due.
 */
export async function settleReturn(tx: ControlTransaction, agent: string): Promise<void> {
  const missing = await tx.db
    .selectFrom("return_checks")
    .innerJoin("commands", (join) =>
      join
        .onRef("commands.workspace", "=", "return_checks.workspace")
        .onRef("commands.id", "=", "return_checks.command"),
    )
    .select(commandColumns.map((column) => `commands.${column}` as const))
    .where("return_checks.workspace", "=", tx.workspace)
    .where("return_checks.agent", "=", agent)
    .where("commands.state", "=", "started")
    .orderBy("commands.ordinal")
    .execute();
  for (const command of missing) await lose(tx, command, "the agent came back without it");
  await replaceChecks(tx, agent, []);
  await dispatchNext(tx, await requireAgent(tx, agent));
}

/** Agents of the workspace whose checks are due: judged, each with its own lock. */
export async function settleDueReturns(tx: ControlTransaction): Promise<void> {
  await rearmChecks(tx);
  const due = await tx.db
    .selectFrom("return_checks")
    .select("agent")
    .distinct()
    .where("workspace", "=", tx.workspace)
    .where("due_at", "<=", tx.now)
    .orderBy("agent")
    .execute();
  const agents = due.map((row) => row.agent);
  for (const agent of agents) {
    await lockAgent(tx, agent);
    await settleReturn(tx, agent);
  }
  await announceAgents(tx, agents);
}

/** The clock was set back: who came back by the former one would be judged only when it is that late again. */
async function rearmChecks(tx: ControlTransaction): Promise<void> {
  const dueAt = tx.now + returnCheckMs;
  await tx.db
    .updateTable("return_checks")
    .set({ due_at: dueAt })
    .where("workspace", "=", tx.workspace)
    .where("due_at", ">", dueAt)
    .execute();
}

/** The newest `hello` decides what is missing; how long that has been so is kept, or an agent that keeps coming back would never be judged. */
async function replaceChecks(tx: ControlTransaction, agent: string, commands: readonly string[]): Promise<void> {
  const checks = tx.db.selectFrom("return_checks").select(["command", "due_at"]);
  const before = await checks.where("workspace", "=", tx.workspace).where("agent", "=", agent).execute();
  const dueAt = new Map(before.map((row) => [row.command, Number(row.due_at)]));
  if (before.length > 0) {
    await tx.db.deleteFrom("return_checks").where("workspace", "=", tx.workspace).where("agent", "=", agent).execute();
  }
  if (commands.length > 0) {
    const rows = commands.map((command) => ({
      workspace: tx.workspace,
      agent,
      command,
      due_at: Math.min(dueAt.get(command) ?? Number.POSITIVE_INFINITY, tx.now + returnCheckMs),
    }));
    await tx.db.insertInto("return_checks").values(rows).execute();
  }
  await tx.db
    .updateTable("agents")
    .set({ returning: commands.length > 0 ? 1 : 0 })
    .where("workspace", "=", tx.workspace)
    .where("id", "=", agent)
    .execute();
}
