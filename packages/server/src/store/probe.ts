/**
 * The write of a probe (AD-2): one row that nobody reads, so that a disk which takes no writes is found out.
 *
 * A transaction without a write would succeed on a full disk, and let everybody try again in vain.
 */
import type { Kysely } from "kysely";
import type { StoreTables } from "./schema.ts";

const row = 1;

/** @param now ms since 1970 */
export async function writeProbe(db: Kysely<StoreTables>, now: number): Promise<null> {
  await db
    .insertInto("probes")
    .values({ id: row, at: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ at: now }))
    .execute();
  return null;
}
