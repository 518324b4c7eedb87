/**
 * `thread.read`: what was said in a thread, page by page, from the newest back, or from a place in it to both sides.
 *
 * A page is commands in the order in which they were sent, each with its messages. Invariant: pages do not overlap and
 * leave nothing out, whatever is sent meanwhile, since a page ends at a command that is named. An agent reads its
 * own threads only. Bounded: {@link pageBytesMax} of text on each side, at least one command.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Principal } from "@holdfast/server/plugin";
import type { Exchange, MethodParams, MethodResult } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { wholeCommand } from "./commandRows.ts";
import { readUnfinished, readWhole } from "./messageTexts.ts";
import type { CommandsTable, ControlRead } from "./tables.ts";
import { requireThread } from "./threads.ts";

/** Of all texts of a page, in characters; an answer may have 512 KiB (TR-3). */
const pageBytesMax = 128 * 1024;

/** `thread.read` */
export async function readHistory(
  tx: ControlRead,
  { thread, before, after, around, limit }: MethodParams<"thread.read">,
  caller: Principal,
): Promise<MethodResult<"thread.read">> {
  const { agent } = await requireThread(tx, thread);
  // As if it were not there: another's thread is no oracle.
  if (caller.kind === "agent" && agent !== caller.id)
    throw new ProtocolError("not_found", `there is no thread "${thread}"`, { about: { type: "thread", id: thread } });
  if (around !== undefined) return readAround(tx, thread, around, limit);
  if (after !== undefined) return readPage(tx, thread, { side: "later", of: after }, limit);
  return readPage(tx, thread, { side: "older", of: before }, limit);
}

/** One side of a command, or from the newest on. */
interface Place {
  readonly side: "older" | "later";
  readonly of: string | undefined;
  /** With the command itself. */
  readonly isWith?: boolean;
}

/** Its own half comes first, so that a long one leaves out what is around it and never itself. */
async function readAround(
  tx: ControlRead,
  thread: string,
  around: string,
  limit: number,
): Promise<MethodResult<"thread.read">> {
  const after = await readPage(tx, thread, { side: "later", of: around, isWith: true }, Math.ceil(limit / 2));
  const before = await readPage(tx, thread, { side: "older", of: around }, Math.max(1, Math.floor(limit / 2)));
  const ends = { ...(before.next && { next: before.next }), ...(after.later && { later: after.later }) };
  return { items: [...before.items, ...after.items], ...ends };
}

async function readPage(
  tx: ControlRead,
  thread: string,
  place: Place,
  limit: number,
): Promise<MethodResult<"thread.read">> {
  const commands = await commandsAt(tx, thread, place, limit + 1);
  const items: Exchange[] = [];
  let bytes = 0;
  for (const row of commands.slice(0, limit)) {
    const messages = await readMessages(tx, thread, row.id);
    bytes += row.text.length + messages.reduce((sum, { text }) => sum + text.length, 0);
    if (bytes > pageBytesMax && items.length > 0) break;
    items.push({ command: wholeCommand(row), messages });
  }
  const farthest = items.at(-1)?.command.id;
  const end = items.length < commands.length && farthest !== undefined ? farthest : undefined;
  if (place.side === "later") return { items, ...(end && { later: end }) };
  return { items: items.reverse(), ...(end && { next: end }) };
}

/** The nearest first. */
async function commandsAt(
  tx: ControlRead,
  thread: string,
  { side, of, isWith = false }: Place,
  limit: number,
): Promise<CommandsTable[]> {
  const all = tx.db.selectFrom("commands").selectAll().where("workspace", "=", tx.workspace);
  const ofThread = all.where("thread", "=", thread);
  if (of === undefined) return ofThread.orderBy("ordinal", "desc").limit(limit).execute();
  const bound = await ofThread.where("id", "=", of).executeTakeFirst();
  if (bound === undefined) {
    throw new ProtocolError("not_found", `thread "${thread}" has no command "${of}"`, {
      about: { type: "command", id: of },
    });
  }
  const { ordinal } = bound;
  if (side === "older") {
    return ofThread.where("ordinal", "<", ordinal).orderBy("ordinal", "desc").limit(limit).execute();
  }
  const later = ofThread.where("ordinal", isWith ? ">=" : ">", ordinal);
  return later.orderBy("ordinal").limit(limit).execute();
}

async function readMessages(tx: ControlRead, thread: string, command: string): Promise<Exchange["messages"]> {
  const stream = streams.thread(thread);
  const rows = await tx.db
    .selectFrom("messages")
    .select(["id", "state", "started_after"])
    .where("workspace", "=", tx.workspace)
    .where("thread", "=", thread)
    .where("command", "=", command)
    .orderBy("ordinal")
    .execute();
  const open = rows.filter(({ state }) => state === "started");
  const textSoFar = await readUnfinished(tx, stream, open, pageBytesMax);
  const messages: Exchange["messages"] = [];
  for (const { id, state } of rows)
    messages.push({ id, state, text: textSoFar.get(id) ?? (await readWhole(tx, stream, id)) });
  return messages;
}
