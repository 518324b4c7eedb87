/**
 * Which of several servers on one store runs the assistants: one row a workspace, with a beat that its holder raises.
 *
 * Life cycle: nobody's → the first who asks holds it → raises its beat with each asking → leaves, or stands still: then
 * whoever has watched it stand (`leases.ts`) takes it, if it still stands there. Invariant: no clock of two machines is
 * compared, here as with the leases of nodes. What an older holder's process still says is fenced by its agents'
 * generations (OP-7), so two who believe that they hold it do no harm.
 */
import type { MethodParams, MethodResult } from "../contract/index.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";

type Wish = MethodParams<"assistant.lead">;

/** `assistant.lead` */
export async function leadAssistants(
  tx: ControlTransaction,
  { holder, takes, leaves }: Wish,
): Promise<MethodResult<"assistant.lead">> {
  const { workspace } = tx;
  if (leaves) {
    const own = tx.db.deleteFrom("assistant_leads").where("workspace", "=", workspace);
    await own.where("holder", "=", holder).execute();
    return { holder: null, beat: 0 };
  }
  // Each is one statement that waits for the row: of two who take it at once, one does.
  const raised = tx.db.updateTable("assistant_leads").where("workspace", "=", workspace);
  await raised
    .set((row) => ({ beat: row("beat", "+", 1) }))
    .where("holder", "=", holder)
    .execute();
  if (takes !== undefined && takes.holder !== holder) {
    const taken = tx.db.updateTable("assistant_leads").where("workspace", "=", workspace);
    await taken
      .set((row) => ({ holder, beat: row("beat", "+", 1) }))
      .where("holder", "=", takes.holder)
      .where("beat", "=", takes.beat)
      .execute();
  }
  await tx.db
    .insertInto("assistant_leads")
    .values({ workspace, holder, beat: 1 })
    .onConflict((conflict) => conflict.column("workspace").doNothing())
    .execute();
  const row = await leadOf(tx);
  return { holder: row?.holder ?? null, beat: Number(row?.beat ?? 0) };
}

/** Whether it goes from one to another by this: what a holder does each few seconds is nobody's concern. */
export async function leadFromAnother(
  tx: ControlRead,
  { holder, takes }: Wish,
): Promise<{ readonly before: string } | undefined> {
  const row = takes === undefined ? undefined : await leadOf(tx);
  const isTaken = row !== undefined && row.holder === takes?.holder && Number(row.beat) === takes.beat;
  return isTaken && row.holder !== holder ? { before: row.holder } : undefined;
}

async function leadOf(tx: ControlRead) {
  const rows = tx.db.selectFrom("assistant_leads").select(["holder", "beat"]);
  return rows.where("workspace", "=", tx.workspace).executeTakeFirst();
}
