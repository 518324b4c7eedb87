/**
 * `thread.archive`: out of the list, and back. Nothing of a thread is lost by it: it is read and searched as before.
 *
 * Invariant: nothing that is archived goes on working out of sight. So a thread with something unfinished is refused, and
 * a command that is sent in an archived one brings it back in its own transaction (`touchThread`): one that was written
 * offline is never refused because somebody has tidied up meanwhile.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Principal } from "@holdfast/server/plugin";
import type { MethodParams, MethodResult, ThreadsEventData } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";
import { isThreadOpen } from "./threadSnapshot.ts";
import { requireThread, wholeThread } from "./threads.ts";

/** `thread.archive` */
export async function archiveThread(
  tx: ControlTransaction,
  params: MethodParams<"thread.archive">,
): Promise<MethodResult<"thread.archive">> {
  const row = await requireThread(tx, params.thread);
  if (params.archived === (row.archived_at !== null)) return { thread: wholeThread(row) };
  if (params.archived && (await isThreadOpen(tx, streams.thread(row.id)))) {
    const what = row.kind === "terminal" ? "its terminal is open" : "a command in it has not ended";
    throw new ProtocolError("conflict", `thread "${row.id}" cannot be archived: ${what}; end that first`, {
      about: { type: "thread", id: row.id },
    });
  }
  const archived_at = params.archived ? tx.now : null;
  const update = tx.db.updateTable("threads").set({ archived_at }).where("workspace", "=", tx.workspace);
  await update.where("id", "=", row.id).execute();
  const thread = wholeThread({ ...row, archived_at });
  const data = { thread } satisfies ThreadsEventData["thread.archived"];
  tx.append(streams.threads, { event: params.archived ? "thread.archived" : "thread.changed", data });
  return { thread };
}

/** Who began it, where it was not the caller; undefined also where there is none. */
export async function threadOfAnother(
  tx: ControlRead,
  { thread }: MethodParams<"thread.archive">,
  caller: Principal,
): Promise<{ readonly createdBy: string } | undefined> {
  const query = tx.db.selectFrom("threads").select("created_by").where("workspace", "=", tx.workspace);
  const row = await query.where("id", "=", thread).executeTakeFirst();
  return row === undefined || row.created_by === caller.id ? undefined : { createdBy: row.created_by };
}
