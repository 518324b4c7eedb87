/**
 * What a thread's snapshot tells and no other row does: size of its terminal, its newest note, how far commands are.
 *
 * Kept in rows as the events come, so that a snapshot need not read a long log for them. Only what changed is
 * written: a burst of terminal output costs nothing here.
 */
import type { AgentEvent } from "./grammar.ts";
import type { ControlTransaction, ThreadsTable } from "./tables.ts";
import { toStorable } from "./text.ts";

/** Moves the rows as the accepted events of one publish say. */
export async function recordView(
  tx: ControlTransaction,
  publisher: { readonly thread: string; readonly size: { readonly cols: number; readonly rows: number } },
  accepted: readonly AgentEvent[],
): Promise<void> {
  let { size } = publisher;
  let note: string | undefined;
  const progress = new Map<string, string>();
  for (const event of accepted) {
    if (event.event === "terminal.resized" || event.event === "terminal.screen") size = event.data;
    if (event.event === "note") note = toStorable(event.data.text);
    if (event.event === "command.progress") progress.set(event.data.command, toStorable(event.data.text));
    if (event.event === "command.finished") progress.delete(event.data.command);
  }
  const isResized = size.cols !== publisher.size.cols || size.rows !== publisher.size.rows;
  const change: Partial<ThreadsTable> = {
    ...(isResized ? { cols: size.cols, rows: size.rows } : {}),
    ...(note === undefined ? {} : { note }),
  };
  if (Object.keys(change).length > 0) {
    const update = tx.db.updateTable("threads").set(change).where("workspace", "=", tx.workspace);
    await update.where("id", "=", publisher.thread).execute();
  }
  for (const [command, text] of progress) {
    const update = tx.db.updateTable("commands").set({ progress: text }).where("workspace", "=", tx.workspace);
    await update.where("id", "=", command).where("state", "=", "started").execute();
  }
}
