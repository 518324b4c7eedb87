/**
 * `command.send`: one instruction becomes a durable command in its agent's queue; and what a person does with one
 * that is there: stop it, take it back, send it once more.
 *
 * The answer means accepted and durable, no more. Invariants: a command belongs to one thread and one agent
 * for ever; it reaches exactly one end (I8), for whatever is not started by its expiry ends as `expired`.
 * What happens to it afterwards is the queue's, the publisher's and the sweep's part.
 */
import { assert, limits, ProtocolError } from "@holdfast/protocol";
import type { Principal } from "@holdfast/server/plugin";
import type { CommandPriority, MethodParams, MethodResult, ThreadServerEventData } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { type AgentRow, announceAgents, lockAgent } from "./agents.ts";
import { priorityRanks, wholeCommand } from "./commandRows.ts";
import { nextState } from "./commandStates.ts";
import { askToStop, type CommandRow, commandColumns, commandsOf, dispatchNext, withdraw } from "./queue.ts";
import type { CommandsTable, ControlRead, ControlTransaction } from "./tables.ts";
import { requireStorable, titleOf } from "./text.ts";
import { addThread, requireOnline, requireThread, touchThread } from "./threads.ts";

/** Commands of one agent that wait. */
export const queuedMax = 1_000;
/** How long a command waits to be started where the sender says nothing. */
export const expiresInMsDefault = 24 * 3_600_000;
/** A text as JSON: it is twice in `command.queued`, beside the rest of that event. */
export const textBytesMax = 60_000;
const restBytesMax = 8 * 1024;
assert(textBytesMax * 2 + restBytesMax <= limits.eventBytesMax, "a longest text must fit twice into one event (TR-3)");

/** `command.send` */
export async function sendCommand(
  tx: ControlTransaction,
  params: MethodParams<"command.send">,
  caller: Principal,
): Promise<MethodResult<"command.send">> {
  const { priority, expiresIn } = params;
  return queueCommand(
    tx,
    { ...(await targetOf(tx, params)), text: requireText(params.text), priority, expiresIn },
    caller,
  );
}

/** `command.retry` */
export async function retryCommand(
  tx: ControlTransaction,
  params: MethodParams<"command.retry">,
  caller: Principal,
): Promise<MethodResult<"command.retry">> {
  const old = await requireCommand(tx, params.command);
  if (old.state !== "finished") {
    throw new ProtocolError("conflict", `command "${old.id}" is ${old.state}; wait for its end, or stop it first`, {
      about: { type: "command", id: old.id },
      details: { state: old.state },
    });
  }
  const { id: retryOf, thread, agent, text } = old;
  return queueCommand(tx, { thread, agent, text, retryOf, priority: "normal", expiresIn: undefined }, caller);
}

/** `command.interrupt`: a waiting one ends here and now; whoever has it is asked, and its end is the agent's word. */
export async function interruptCommand(
  tx: ControlTransaction,
  params: MethodParams<"command.interrupt">,
): Promise<MethodResult<"command.interrupt">> {
  const { agent } = await requireCommand(tx, params.command);
  await lockAgent(tx, agent);
  const command = await requireCommand(tx, params.command);
  if (command.state === "queued") await withdraw(tx, command, "stopped while it waited");
  else if (command.state !== "finished") askToStop(tx, command);
  await announceAgents(tx, [agent]);
  return {};
}

/** `command.cancel`: whichever the log has first, this or the agent's claim, decides (PB-5). */
export async function cancelCommand(
  tx: ControlTransaction,
  params: MethodParams<"command.cancel">,
): Promise<MethodResult<"command.cancel">> {
  const { agent: id } = await requireCommand(tx, params.command);
  const agent = await lockAgent(tx, id);
  const command = await requireCommand(tx, params.command);
  if (isWithdrawn(command)) return {};
  if (nextState(command.state, "withdraw") === null) {
    const instead = command.state === "started" ? "has begun; stop it with command.interrupt" : "has ended";
    throw new ProtocolError("conflict", `command "${command.id}" ${instead}`, {
      about: { type: "command", id: command.id },
      details: { state: command.state },
    });
  }
  await withdraw(tx, command, "cancelled before it began");
  await dispatchNext(tx, agent);
  await announceAgents(tx, [id]);
  return {};
}

/** Somebody has taken it back already: two who do so at once both have what they wanted. */
const isWithdrawn = ({ state, outcome, started_at }: CommandRow): boolean =>
  state === "finished" && outcome === "interrupted" && started_at === null;

/** Whose it is, where it is not the caller's own; undefined also where there is none. */
export async function commandOfAnother(
  tx: ControlRead,
  { command }: MethodParams<"command.interrupt" | "command.cancel" | "command.retry">,
  caller: Principal,
): Promise<{ readonly sentBy: string } | undefined> {
  const query = tx.db.selectFrom("commands").select("sent_by").where("workspace", "=", tx.workspace);
  const row = await query.where("id", "=", command).executeTakeFirst();
  return row === undefined || row.sent_by === caller.id ? undefined : { sentBy: row.sent_by };
}

interface Wish {
  readonly agent: string;
  /** Absent: in a new one. */
  readonly thread: string | undefined;
  readonly text: string;
  readonly priority: CommandPriority;
  readonly expiresIn: number | undefined;
  readonly retryOf?: string;
}

async function queueCommand(
  tx: ControlTransaction,
  wish: Wish,
  caller: Principal,
): Promise<MethodResult<"command.send">> {
  const { text, priority, expiresIn, retryOf } = wish;
  const agent = await lockAgent(tx, wish.agent);
  if (expiresIn === 0) requireOnline(agent, "was not to be waited for");
  const waiting = await waitingBefore(tx, agent, priority);

  const thread =
    wish.thread ??
    (
      await addThread(tx, {
        agent: agent.id,
        kind: "work",
        title: titleOf(text) || `Work with ${agent.name}`,
        createdBy: caller.id,
      })
    ).id;
  const row = newCommand(tx, {
    agent,
    thread,
    text,
    priority,
    expiresIn,
    sentBy: caller.id,
    retryOf,
  });
  await tx.db.insertInto("commands").values(row).execute();
  const { id: command } = row;
  const queued = { command, text, position: waiting, sentBy: caller.id, value: wholeCommand(row) };
  tx.append(streams.thread(thread), {
    event: "command.queued",
    data: queued satisfies ThreadServerEventData["command.queued"],
  });
  if (wish.thread !== undefined) await touchThread(tx, thread, { bringsBack: true });

  await dispatchNext(tx, agent);
  await announceAgents(tx, [agent.id]);
  return { command, thread, position: waiting };
}

/** Throws `not_found`. */
async function requireCommand(tx: ControlTransaction, id: string): Promise<CommandRow> {
  const query = tx.db.selectFrom("commands").select(commandColumns).where("workspace", "=", tx.workspace);
  const row = await query.where("id", "=", id).executeTakeFirst();
  if (row !== undefined) return row;
  throw new ProtocolError("not_found", `there is no command "${id}"`, { about: { type: "command", id } });
}

/** The agent, and the thread where there is one already. Throws `not_found`. */
async function targetOf(
  tx: ControlTransaction,
  params: MethodParams<"command.send">,
): Promise<{ readonly agent: string; readonly thread: string | undefined }> {
  if (params.thread === undefined) return { agent: params.agent ?? "", thread: undefined };
  const thread = await requireThread(tx, params.thread);
  if (thread.kind === "terminal") {
    throw new ProtocolError(
      "invalid_params",
      `thread "${thread.id}" is an interactive terminal; type into it with terminal.write`,
      {
        about: { type: "thread", id: thread.id },
        details: { field: "thread" },
      },
    );
  }
  return { agent: thread.agent, thread: thread.id };
}

function requireText(text: string): string {
  const bytes = Buffer.byteLength(JSON.stringify(text));
  if (bytes > textBytesMax) {
    throw new ProtocolError("too_large", `the text has ${bytes} bytes, more than ${textBytesMax}; put it into a file`, {
      details: { field: "text", limitBytes: textBytesMax },
    });
  }
  return requireStorable(text, "text");
}

/** How many commands of the agent go before a new one: those under way, and those of its or a higher priority. */
async function waitingBefore(tx: ControlTransaction, agent: AgentRow, priority: CommandPriority): Promise<number> {
  const counts = await tx.db
    .selectFrom("commands")
    .select((columns) => ["priority", columns.fn.countAll<number>().as("count")])
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent.id)
    .where("state", "=", "queued")
    .groupBy("priority")
    .execute();
  const total = (rows: typeof counts): number => rows.reduce((sum, row) => sum + Number(row.count), 0);
  if (total(counts) >= queuedMax) {
    throw new ProtocolError(
      "queue_full",
      `agent "${agent.name}" has ${total(counts)} commands waiting, no more than ${queuedMax} may`,
      {
        about: { type: "agent", id: agent.id },
        details: { limit: queuedMax },
      },
    );
  }
  const underWay = await commandsOf(tx, agent.id, ["dispatched", "started"]);
  return underWay.length + total(counts.filter((row) => Number(row.priority) <= priorityRanks[priority]));
}

interface NewCommand {
  readonly agent: AgentRow;
  readonly thread: string;
  readonly text: string;
  readonly priority: CommandPriority;
  readonly expiresIn: number | undefined;
  readonly sentBy: string;
  readonly retryOf: string | undefined;
}

function newCommand(tx: ControlTransaction, command: NewCommand): CommandsTable {
  return {
    workspace: tx.workspace,
    id: tx.newId(),
    thread: command.thread,
    agent: command.agent.id,
    text: command.text,
    state: "queued",
    priority: priorityRanks[command.priority],
    ordinal: Number(command.agent.revision),
    outcome: null,
    reason: null,
    exit_code: null,
    sent_by: command.sentBy,
    queued_at: tx.now,
    dispatched_at: null,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    // `0` asks for an agent that is there, not for an end at once: the place in its queue is kept as usual.
    expires_at: tx.now + (command.expiresIn || expiresInMsDefault),
    progress: null,
    inferred: 0,
    usage: null,
    retry_of: command.retryOf ?? null,
  };
}
