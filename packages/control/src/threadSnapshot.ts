/**
 * The snapshot of `thread/<id>`: commands, messages and terminals exactly as they are at its offset (ST-9, ST-10).
 *
 * Rows tell the states, the log the bytes: per terminal the newest keyframe and what was drawn after it, per
 * message its whole text, or its text so far. Read in one transaction. Bounded whatever the log's length:
 * {@link commandsMax}, {@link messagesMax}, {@link messagesBytesMax}, {@link drawingBytesMax}. A short log is
 * given whole; a long one whose terminal never had a keyframe is drawn from its last bytes on.
 */
import { limits } from "@holdfast/protocol";
import type { LoggedEvent } from "@holdfast/server/plugin";
import type {
  AgentEventData,
  DrawingEvent,
  ThreadSnapshot,
  ThreadSnapshotCommand,
  ThreadSnapshotMessage,
} from "../contract/index.ts";
import { streams, terminalOf, terminalScope } from "../contract/names.ts";
import { wholeCommand } from "./commandRows.ts";
import { readUnfinished, readWhole } from "./messageTexts.ts";
import { threadRollUp } from "./rollUp.ts";
import type { ControlRead } from "./tables.ts";
import { requireThread, type ThreadRow, wholeThread } from "./threads.ts";

/** Ended commands; those that have not ended are all there. */
const commandsMax = 200;
const messagesMax = 200;
/** Of all messages' texts, the newest first. */
const messagesBytesMax = 2 * 1024 * 1024;
/** What is drawn in a whole log of this size, as JSON, is all given: then nothing is missing above the screen. */
const wholeBytesMax = 512 * 1024;
/** Of what is drawn after a keyframe, as JSON; agents make one each 256 KiB of output. */
const drawingBytesMax = 1024 * 1024;
const drawingEventsMax = 20_000;
/** What shows on a terminal. */
const drawingNames = [
  "terminal.output",
  "terminal.resized",
  "terminal.closed",
  "command.started",
  "command.finished",
  "note",
] as const;
const threadPrefix = streams.thread("");

/** Throws `not_found`. */
export async function readThread(tx: ControlRead, stream: string): Promise<ThreadSnapshot> {
  const thread = await requireThread(tx, stream.slice(threadPrefix.length));
  const terminal = terminalOf(thread.id);
  const drawn = await readDrawing(tx, stream, terminal);
  return {
    thread: wholeThread(thread),
    note: thread.note,
    commands: await readCommands(tx, thread),
    messages: await readMessages(tx, stream, thread.id),
    terminals: [{ terminal, cols: Number(thread.cols), rows: Number(thread.rows), earlier: drawn.earlier }],
    drawing: drawn.events,
  };
}

/** Whether something of a thread is unfinished: a command, or an interactive terminal. */
export async function isThreadOpen(tx: ControlRead, stream: string): Promise<boolean> {
  const thread = await requireThread(tx, stream.slice(threadPrefix.length));
  if (thread.kind === "terminal" && thread.terminal === "open") return true;
  const open = commandsOf(tx, thread).where("agent", "=", thread.agent).where("state", "in", unfinished);
  return (await open.limit(1).execute()).length > 0;
}

const unfinished = ["queued", "dispatched", "started"] as const;

const commandsOf = (tx: ControlRead, thread: ThreadRow) =>
  tx.db.selectFrom("commands").selectAll().where("workspace", "=", tx.workspace).where("thread", "=", thread.id);

async function readCommands(tx: ControlRead, thread: ThreadRow): Promise<ThreadSnapshotCommand[]> {
  const ended = await commandsOf(tx, thread)
    .where("state", "=", "finished")
    .orderBy("ordinal", "desc")
    .limit(commandsMax)
    .execute();
  // By the agent's queue, which has an index for it.
  const open = await commandsOf(tx, thread)
    .where("agent", "=", thread.agent)
    .where("state", "in", unfinished)
    .execute();
  return [...ended, ...open]
    .sort((left, right) => Number(left.ordinal) - Number(right.ordinal))
    .map((row) => ({ ...wholeCommand(row), progress: row.progress, inferred: Number(row.inferred) === 1 }));
}

async function readMessages(tx: ControlRead, stream: string, thread: string): Promise<ThreadSnapshotMessage[]> {
  const newest = await tx.db
    .selectFrom("messages")
    .selectAll()
    .where("workspace", "=", tx.workspace)
    .where("thread", "=", thread)
    .orderBy("ordinal", "desc")
    .limit(messagesMax)
    .execute();
  const textSoFar = await readUnfinished(
    tx,
    stream,
    newest.filter(({ state }) => state === "started"),
    messagesBytesMax,
  );
  const messages: ThreadSnapshotMessage[] = [];
  let bytes = 0;
  for (const { id, command, state } of newest) {
    const text = state === "started" ? (textSoFar.get(id) ?? "") : await readWhole(tx, stream, id);
    bytes += text.length;
    if (bytes > messagesBytesMax && messages.length > 0) break;
    messages.push({ id, command, state, text });
  }
  return messages.reverse();
}

interface Drawing {
  readonly events: readonly DrawingEvent[];
  readonly earlier: boolean;
}

/** All that was drawn, where that is little; else the newest keyframe and what follows it. */
async function readDrawing(tx: ControlRead, stream: string, terminal: string): Promise<Drawing> {
  if (await tx.log.isWhole(stream)) {
    const { events, isCut } = await readDrawn(tx, stream, 0, wholeBytesMax);
    if (!isCut) return { events: joinNeighbours(events), earlier: false };
  }
  const keyframe = await tx.log.keyframe(stream, terminalScope(terminal));
  const { events, isCut } = await readDrawn(tx, stream, keyframe?.offset ?? 0, drawingBytesMax);
  // Bytes with a hole before them would draw nonsense over the keyframe.
  const shown = keyframe === undefined || isCut ? events : [keyframe, ...events];
  return { events: joinNeighbours(shown), earlier: true };
}

async function readDrawn(tx: ControlRead, stream: string, after: number, bytesMax: number) {
  const range = { after, names: drawingNames, end: "newest", eventsMax: drawingEventsMax, bytesMax } as const;
  const events = await tx.log.read(stream, range);
  const [first] = events;
  return { events, isCut: first !== undefined && (await isDrawnBetween(tx, stream, after, first.offset)) };
}

async function isDrawnBetween(tx: ControlRead, stream: string, after: number, before: number): Promise<boolean> {
  const range = { after, before, names: drawingNames, end: "newest", eventsMax: 1, bytesMax: 0 } as const;
  return (await tx.log.read(stream, range)).length > 0;
}

/** Neighbours that the roll-up of catching up would join, joined in the same way (ST-12). */
function joinNeighbours(events: readonly LoggedEvent[]): DrawingEvent[] {
  const joined: DrawingEvent[] = [];
  let group: LoggedEvent[] = [];
  let bytes = 0;
  const close = (): void => {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    const { offset, at, event } = first;
    const data =
      group.length === 1
        ? first.data
        : threadRollUp.join(
            event,
            group.map((one) => one.data),
          );
    joined.push({ offset, through: last.offset, at, event, data });
    group = [];
    bytes = 0;
  };
  for (const event of events) {
    const key = threadRollUp.key(event.event, event.data);
    const size = key === undefined ? 0 : (event.data as AgentEventData["terminal.output"]).data.length;
    const [first] = group;
    const isNeighbour = first !== undefined && key !== undefined && threadRollUp.key(first.event, first.data) === key;
    if (!isNeighbour || bytes + size > drawingPieceBytesMax) close();
    group.push(event);
    bytes += size;
  }
  close();
  return joined;
}

/** A part of a snapshot is a frame: pieces of about that size. */
const drawingPieceBytesMax = limits.frameTargetBytes;
