/**
 * What an agent says of its work: the `publish` of `thread/<id>`.
 *
 * Life cycle of a publish: who may (the thread's agent, its current generation, compared in this transaction:
 * OP-7) → each event by schema and grammar, in order → the accepted ones are appended and the rows moved → an
 * ended command makes room for the next. Invariants: a rejected event is named and leaves no trace (PB-2);
 * `command.started` is accepted once per command (PB-5). The hot case, a burst of terminal output, costs two
 * queries, however many events it has: the agent is locked only for a step of a command, and read for nothing else, so
 * what runs is live where the table of agents cannot be read.
 */
import { type ErrorBody, ProtocolError } from "@holdfast/protocol";
import type { PublishRequest, PublishVerdicts } from "@holdfast/server/plugin";
import { type AgentEventName, agentEvents } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { announceAgents, lockAgent } from "./agents.ts";
import { type AgentEvent, judge, keyframeOf, type ThreadState } from "./grammar.ts";
import { commandsNamed, messagesOf, selectPublisher } from "./publishingQueries.ts";
import { type CommandRow, dispatchNext, recordClaim, recordFinish } from "./queue.ts";
import { settleReturn } from "./returns.ts";
import type { ControlTransaction } from "./tables.ts";
import { toStorable } from "./text.ts";
import { closeTerminal, touchThread } from "./threads.ts";
import { recordView } from "./threadView.ts";

/** Ids or rows in one statement: databases bound its parameters. */
const rowsAtOnce = 500;
const threadPrefix = "thread/";

/** Judges and appends. Throws `forbidden` or `fenced` for the whole. */
export async function publishToThread(tx: ControlTransaction, request: PublishRequest): Promise<PublishVerdicts> {
  const publisher = await authorise(tx, request);
  const read = request.events.map(readEvent);
  const events = read.filter((one): one is AgentEvent => !(one instanceof ProtocolError));
  const steps = events.some(isStep);
  if (steps || publisher.returning) await lockAgent(tx, publisher.agent);
  const known = await readCommands(tx, publisher.thread, events);
  const state = await threadState(tx, publisher, known, events);

  const verdicts: (ErrorBody | null)[] = [];
  const accepted: AgentEvent[] = [];
  for (const event of read) {
    const refusal = event instanceof ProtocolError ? event : judge(state, event);
    verdicts.push(refusal === null ? null : refusal.toBody());
    if (refusal !== null || event instanceof ProtocolError) continue;
    accepted.push(event);
    const keyframe = keyframeOf(event);
    tx.append(request.stream, {
      event: event.event,
      data: event.data,
      ...(keyframe === undefined ? {} : { keyframe }),
    });
  }
  await record(tx, publisher, known, accepted);
  if (publisher.returning) await settleReturn(tx, publisher.agent);
  if (accepted.some((event) => event.event === "command.finished"))
    await dispatchNext(tx, await lockAgent(tx, publisher.agent));
  if (accepted.some(isStep) || publisher.returning) await announceAgents(tx, [publisher.agent]);
  return verdicts;
}

/** Whom the rows know as the publisher, at this moment of the transaction. */
interface Publisher {
  readonly agent: string;
  readonly returning: boolean;
  readonly thread: string;
  readonly kind: ThreadState["kind"];
  readonly terminal: ThreadState["terminal"];
  /** Of its terminal. */
  readonly size: { readonly cols: number; readonly rows: number };
}

async function authorise(tx: ControlTransaction, { stream, caller, generation }: PublishRequest): Promise<Publisher> {
  const thread = stream.slice(threadPrefix.length);
  const row =
    caller.kind === "agent"
      ? (await selectPublisher(tx.db, { workspace: tx.workspace, thread, agent: caller.id }))[0]
      : undefined;
  if (row === undefined || generation === undefined) {
    throw new ProtocolError(
      "forbidden",
      `only the agent of a thread publishes to it, and "${caller.id}" is not that of "${stream}"`,
      {
        about: { type: "stream", stream },
      },
    );
  }
  if (Number(row.generation) !== generation) {
    throw new ProtocolError(
      "fenced",
      `generation ${generation} of agent "${caller.id}" is over, ${Number(row.generation)} has taken over; stop this process`,
      {
        about: { type: "agent", id: caller.id },
        details: { generation, current: Number(row.generation) },
      },
    );
  }
  const { agent, kind, terminal } = row;
  const size = { cols: Number(row.cols), rows: Number(row.rows) };
  return { agent, returning: Number(row.checks) > 0, thread, kind, terminal, size };
}

/** One event by its schema; unknown fields are dropped (TR-5). */
function readEvent(event: PublishRequest["events"][number]): AgentEvent | ProtocolError {
  if (!isAgentEvent(event.event)) {
    return new ProtocolError("bad_message", `"${event.event}" is not an event that agents publish`, {
      details: { field: "event" },
    });
  }
  const parsed = agentEvents[event.event].safeParse(event.data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = ["data", ...(issue?.path ?? [])].join(".");
    return new ProtocolError("bad_message", `${event.event}: ${field} is wrong: ${issue?.message ?? "unreadable"}`, {
      details: { field },
    });
  }
  const read = { event: event.event, data: parsed.data } as AgentEvent;
  const keyframe = keyframeOf(read);
  if (event.keyframe === undefined || event.keyframe === keyframe) return read;
  return new ProtocolError(
    "bad_message",
    `${event.event}: keyframe "${event.keyframe}" must be ${keyframe === undefined ? "absent" : `"${keyframe}"`}`,
    {
      details: { field: "keyframe" },
    },
  );
}

function isAgentEvent(name: string): name is AgentEventName {
  return Object.hasOwn(agentEvents, name);
}

function isStep(event: AgentEvent): boolean {
  return event.event === "command.started" || event.event === "command.finished";
}

async function threadState(
  tx: ControlTransaction,
  publisher: Publisher,
  commands: ReadonlyMap<string, CommandRow>,
  events: readonly AgentEvent[],
): Promise<ThreadState> {
  const { thread, kind, terminal } = publisher;
  const messages: ThreadState["messages"] = new Map();
  for (const ids of chunks(named(events, "message"))) {
    for (const { id, command, state } of await messagesOf(tx, thread, ids)) messages.set(id, { command, state });
  }
  return { thread, kind, terminal, commands: new Map([...commands].map(([id, row]) => [id, row.state])), messages };
}

/** The commands that the events name, as far as they are of this thread. */
async function readCommands(
  tx: ControlTransaction,
  thread: string,
  events: readonly AgentEvent[],
): Promise<Map<string, CommandRow>> {
  const commands = new Map<string, CommandRow>();
  for (const ids of chunks(named(events, "command"))) {
    for (const row of await commandsNamed(tx, thread, ids)) commands.set(row.id, row);
  }
  return commands;
}

/** Moves the rows as the accepted events say. */
async function record(
  tx: ControlTransaction,
  publisher: Publisher,
  commands: Map<string, CommandRow>,
  accepted: readonly AgentEvent[],
): Promise<void> {
  const started = new Map<string, string>();
  const ended = new Set<string>();
  for (const event of accepted) {
    if (event.event === "message.started") started.set(event.data.message, event.data.command);
    if (event.event === "message.finished") ended.add(event.data.message);
    if (event.event === "terminal.closed" && publisher.kind === "terminal") await closeTerminal(tx, publisher.thread);
    if (event.event !== "command.started" && event.event !== "command.finished") continue;
    const command = commands.get(event.data.command);
    if (command === undefined) continue;
    if (event.event === "command.started") {
      await recordClaim(tx, command);
      commands.set(command.id, { ...command, state: "started", started_at: tx.now });
    } else {
      const { outcome, reason, exitCode, inferred, usage, durationMs } = event.data;
      await recordFinish(tx, command, {
        outcome,
        reason: reason === undefined ? undefined : toStorable(reason),
        exitCode,
        inferred,
        usage,
        durationMs,
      });
    }
  }
  await recordMessages(tx, publisher.thread, started, ended);
  await recordView(tx, publisher, accepted);
  if (accepted.some((event) => event.event === "command.finished")) await touchThread(tx, publisher.thread);
}

async function recordMessages(
  tx: ControlTransaction,
  thread: string,
  started: ReadonlyMap<string, string>,
  ended: ReadonlySet<string>,
): Promise<void> {
  // Heads rise at the end of the batch: whatever a new message says lies behind this one.
  const started_after = started.size === 0 ? 0 : await tx.log.head(streams.thread(thread));
  const fresh = [...started].map(([id, command]) => ({
    workspace: tx.workspace,
    thread,
    id,
    command,
    state: ended.has(id) ? ("finished" as const) : ("started" as const),
    ordinal: tx.newId(),
    started_after,
  }));
  for (const rows of chunks(fresh)) await tx.db.insertInto("messages").values(rows).execute();
  for (const ids of chunks([...ended].filter((id) => !started.has(id)))) {
    const update = tx.db.updateTable("messages").set({ state: "finished" }).where("workspace", "=", tx.workspace);
    await update.where("thread", "=", thread).where("id", "in", ids).execute();
  }
}

function named(events: readonly AgentEvent[], field: "command" | "message"): string[] {
  const ids = new Set<string>();
  for (const { data } of events) {
    const id = (data as { readonly command?: string | undefined; readonly message?: string })[field];
    if (id !== undefined) ids.add(id);
  }
  return [...ids];
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / rowsAtOnce);
  return Array.from({ length: count }, (_, index) => items.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce));
}
