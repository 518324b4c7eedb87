/**
 * What each person has read: one mark a thread, in step on all of their devices.
 *
 * A mark is a time of the server's clock. Invariant: it never goes back and never lies ahead, so devices may tell it in any
 * order and as often as they like. A person's marks are theirs: nobody else reads the stream that tells of them.
 */
import type { Principal } from "@holdfast/server/plugin";
import type { MethodParams, MethodResult, ReadsEventData, ReadsSnapshot } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";
import { requireThread } from "./threads.ts";

/** In a snapshot: the newest; what is older than those was read long ago, or never. */
const marksMax = 1_000;
const readsPrefix = streams.reads("");

/** `thread.markRead` */
export async function markRead(
  tx: ControlTransaction,
  { thread, at }: MethodParams<"thread.markRead">,
  caller: Principal,
): Promise<MethodResult<"thread.markRead">> {
  await requireThread(tx, thread);
  const marks = tx.db.selectFrom("thread_reads").select("read_at").where("workspace", "=", tx.workspace);
  const before = await marks.where("user", "=", caller.id).where("thread", "=", thread).executeTakeFirst();
  const readAt = Math.min(at, tx.now);
  if (before !== undefined && Number(before.read_at) >= readAt) return { readAt: Number(before.read_at) };
  await tx.db
    .insertInto("thread_reads")
    .values({ workspace: tx.workspace, user: caller.id, thread, read_at: readAt })
    .onConflict((conflict) => conflict.columns(["workspace", "user", "thread"]).doUpdateSet({ read_at: readAt }))
    .execute();
  const data = { thread, readAt } satisfies ReadsEventData["thread.marked"];
  tx.append(streams.reads(caller.id), { event: "thread.marked", data });
  return { readAt };
}

/** The snapshot of `reads/<user>` (ST-9). */
export async function readMarks(tx: ControlRead, stream: string): Promise<ReadsSnapshot> {
  const rows = await tx.db
    .selectFrom("thread_reads")
    .select(["thread", "read_at"])
    .where("workspace", "=", tx.workspace)
    .where("user", "=", stream.slice(readsPrefix.length))
    .orderBy("read_at", "desc")
    .orderBy("thread")
    .limit(marksMax)
    .execute();
  return { reads: rows.map(({ thread, read_at }) => ({ thread, readAt: Number(read_at) })) };
}
