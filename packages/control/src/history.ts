/**
 * `thread.read`: what was said in a thread, page by page, from the newest back.
 *
 * A page is commands in the order in which they were sent, each with its messages. Invariant: pages do not overlap and
 * leave nothing out, whatever is sent meanwhile, since a page ends before a command that is named. An agent reads its
 * own threads only. Bounded: {@link pageBytesMax} of text, at least one command.
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
  { thread, before, limit }: MethodParams<"thread.read">,
  caller: Principal,
): Promise<MethodResult<"thread.read">> {
  const { agent } = await requireThread(tx, thread);
  // As if it were not there: another's thread is no oracle.
  if (caller.kind === "agent" && agent !== caller.id)
    throw new ProtocolError("not_found", `there is no thread "${thread}"`, { about: { type: "thread", id: thread } });
  const commands = await commandsBefore(tx, thread, before, limit + 1);
  const items: Exchange[] = [];
  let bytes = 0;
  for (const row of commands.slice(0, limit)) {
    const messages = await readMessages(tx, thread, row.id);
    bytes += row.text.length + messages.reduce((sum, { text }) => sum + text.length, 0);
    if (bytes > pageBytesMax && items.length > 0) break;
    items.push({ command: wholeCommand(row), messages });
  }
  const oldest = items.at(-1);
  const isMore = items.length < commands.length && oldest !== undefined;
  return { items: items.reverse(), ...(isMore ? { next: oldest.command.id } : {}) };
}

/** The newest first. */
async function commandsBefore(
  tx: ControlRead,
  thread: string,
  before: string | undefined,
  limit: number,
): Promise<CommandsTable[]> {
  const all = tx.db.selectFrom("commands").selectAll().where("workspace", "=", tx.workspace);
  const ofThread = all.where("thread", "=", thread);
  if (before === undefined) return ofThread.orderBy("ordinal", "desc").limit(limit).execute();
  const bound = await ofThread.where("id", "=", before).executeTakeFirst();
  if (bound === undefined) {
    throw new ProtocolError("not_found", `thread "${thread}" has no command "${before}"`, {
      about: { type: "command", id: before },
    });
  }
  return ofThread.where("ordinal", "<", bound.ordinal).orderBy("ordinal", "desc").limit(limit).execute();
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
