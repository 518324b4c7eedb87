/**
 * An agent's queue, and the steps that its commands take (`commandStates.ts`).
 *
 * Life cycle of a step: the agent's row is locked, the step is looked up in the table, the row changes, the
 * events follow. Invariants: one command under way per agent, or as many as it declares; by priority, then
 * in order; an ended command frees its place at once, in the same transaction. Every function here expects
 * that the caller holds the agent's lock and calls `announceAgents` at the end; none waits for anything.
 */
import { assert } from "@holdfast/protocol";
import type { CommandOutcome, InboxEventData, ThreadServerEventData, Usage } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { type AgentRow, capabilitiesOf } from "./agents.ts";
import { type CommandStep, nextState } from "./commandStates.ts";
import type { CommandsTable, ControlRead, ControlTransaction } from "./tables.ts";
import { touchThread } from "./threads.ts";

/** However many an agent declares with `concurrency:<n>`. */
const concurrencyMax = 100;
/** Queued commands that are looked at in one query. */
const headsMax = 20;

export const commandColumns = [
  "id",
  "thread",
  "agent",
  "text",
  "state",
  "priority",
  "ordinal",
  "started_at",
  "expires_at",
  "outcome",
] as const;
export type CommandRow = Pick<CommandsTable, (typeof commandColumns)[number]>;

/** What a command's end says. */
export interface CommandEnd {
  readonly outcome: CommandOutcome;
  readonly reason?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly inferred?: boolean | undefined;
  readonly usage?: Usage | undefined;
  readonly durationMs: number;
}

/** Hands out as many queued commands as the agent has places for; ends those that are too late. */
export async function dispatchNext(tx: ControlTransaction, agent: AgentRow): Promise<void> {
  if (agent.status !== "online") return;
  let places = concurrencyOf(agent) - (await commandsOf(tx, agent.id, ["dispatched", "started"])).length;
  while (places > 0) {
    const heads = await queuedOf(tx, agent.id).limit(headsMax).execute();
    for (const head of heads) {
      if (places === 0) return;
      if (isLate(tx, head)) {
        await expire(tx, head);
      } else {
        await step(tx, head, "dispatch", { dispatched_at: tx.now });
        tx.append(streams.thread(head.thread), { event: "command.dispatched", data: { command: head.id } });
        handOver(tx, head);
        places -= 1;
      }
    }
    if (heads.length < headsMax) return;
  }
}

/**
 * The agent came back without a command that it had been handed and never claimed: into its inbox once more.
 * Its thread is told nothing new. PB-5 makes a second delivery harmless: it is claimed once.
 */
export async function dispatchAgain(tx: ControlTransaction, command: CommandRow): Promise<void> {
  if (isLate(tx, command)) return expire(tx, command);
  await step(tx, command, "dispatchAgain", { dispatched_at: tx.now });
  handOver(tx, command);
}

/** Ends a command that did not begin in time. */
export async function expire(tx: ControlTransaction, command: CommandRow): Promise<void> {
  await endCommand(tx, command, "expire", { outcome: "expired", reason: "it did not start in time", durationMs: 0 });
}

/** Ends a command whose agent knows nothing of it any more: what it did is unknown. */
export async function lose(tx: ControlTransaction, command: CommandRow, reason: string): Promise<void> {
  const durationMs = Math.max(0, tx.now - Number(command.started_at ?? tx.now));
  await endCommand(tx, command, "lose", { outcome: "lost", reason, durationMs });
}

/** Ends a command that has not begun. */
export async function withdraw(tx: ControlTransaction, command: CommandRow, reason: string): Promise<void> {
  await endCommand(tx, command, "withdraw", { outcome: "interrupted", reason, durationMs: 0 });
}

/** Asks the agent that has it to stop it. */
export function askToStop(tx: ControlTransaction, command: CommandRow): void {
  const data: InboxEventData["command.interrupted"] = { command: command.id, thread: command.thread };
  tx.append(streams.inbox(command.agent), { event: "command.interrupted", data });
}

/** PB-5: the claim, judged already. */
export async function recordClaim(tx: ControlTransaction, command: CommandRow): Promise<void> {
  await step(tx, command, "claim", { started_at: tx.now });
}

/** The agent's own word on the end, judged and appended already. */
export async function recordFinish(tx: ControlTransaction, command: CommandRow, end: CommandEnd): Promise<void> {
  await step(tx, command, "finish", endOf(tx, end));
}

/** Commands of an agent in these states, in the order in which they were sent. */
export async function commandsOf(
  tx: ControlRead,
  agent: string,
  states: readonly CommandsTable["state"][],
): Promise<CommandRow[]> {
  return tx.db
    .selectFrom("commands")
    .select(commandColumns)
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent)
    .where("state", "in", states)
    .orderBy("ordinal")
    .execute();
}

/** Whether a command waits in an inbox to be claimed: what holds it stays then, however old (ST-10). */
export async function isInboxOpen(tx: ControlRead, stream: string): Promise<boolean> {
  const agent = stream.slice(streams.inbox("").length);
  return (await commandsOf(tx, agent, ["dispatched"])).length > 0;
}

export function isLate(tx: ControlRead, command: Pick<CommandRow, "expires_at">): boolean {
  return Number(command.expires_at) <= tx.now;
}

async function endCommand(
  tx: ControlTransaction,
  command: CommandRow,
  by: CommandStep,
  end: CommandEnd,
): Promise<void> {
  await step(tx, command, by, endOf(tx, end));
  const { outcome, reason, durationMs } = end;
  const data: ThreadServerEventData["command.finished"] = {
    command: command.id,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    durationMs,
  };
  tx.append(streams.thread(command.thread), { event: "command.finished", data });
  await touchThread(tx, command.thread);
}

function endOf(tx: ControlRead, end: CommandEnd): Partial<CommandsTable> {
  return {
    outcome: end.outcome,
    reason: end.reason ?? null,
    exit_code: end.exitCode ?? null,
    duration_ms: end.durationMs,
    finished_at: tx.now,
    inferred: end.inferred === true ? 1 : 0,
    usage: end.usage === undefined ? null : JSON.stringify(end.usage),
    progress: null,
  };
}

/** One step of the table. A refused one is our own fault here: whoever calls has judged. */
async function step(
  tx: ControlTransaction,
  command: CommandRow,
  by: CommandStep,
  values: Partial<CommandsTable>,
): Promise<void> {
  const state = nextState(command.state, by);
  assert(state !== null, `command ${command.id} is ${command.state} and cannot ${by}`);
  await tx.db
    .updateTable("commands")
    .set({ ...values, state })
    .where("workspace", "=", tx.workspace)
    .where("id", "=", command.id)
    .where("state", "=", command.state)
    .execute();
}

function handOver(tx: ControlTransaction, command: CommandRow): void {
  const data: InboxEventData["command.dispatched"] = {
    command: command.id,
    thread: command.thread,
    text: command.text,
    request: null,
  };
  tx.append(streams.inbox(command.agent), { event: "command.dispatched", data });
}

function queuedOf(tx: ControlRead, agent: string) {
  return tx.db
    .selectFrom("commands")
    .select(commandColumns)
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent)
    .where("state", "=", "queued")
    .orderBy("priority")
    .orderBy("ordinal");
}

/** `concurrency:<n>` among its capabilities; a claim for its own load, so it is believed within bounds. */
function concurrencyOf(agent: AgentRow): number {
  const declared = capabilitiesOf(agent).map((capability) => /^concurrency:(\d{1,3})$/.exec(capability)?.[1]);
  const places = Number(declared.find((value) => value !== undefined) ?? 1);
  return Math.min(concurrencyMax, Math.max(1, places));
}
