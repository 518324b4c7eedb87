/**
 * One step of the retention job, in one transaction: removes a small batch of what has outlived its time (ST-10).
 *
 * Invariants: a step looks at {@link rowsMax} rows or 1 MiB of data at most, so that a commit waits for milliseconds
 * behind it, and it changes one stream's row at most, so that no two nodes ever wait for each other; it says where
 * the next one goes on. When steps run, and how often, is the job's (`retention.ts`).
 */
import type { Kysely } from "kysely";
import type { Retained, RetainStep } from "./port.ts";
import { type RetainParts, rowsMax } from "./removeEvents.ts";
import { retainEvents } from "./retainEvents.ts";
import type { StoreTables } from "./schema.ts";

export async function retain(parts: RetainParts, step: RetainStep): Promise<Retained> {
  const { db, now } = parts;
  switch (step.of) {
    case "requests":
      return whole(await removeRequests(db, now - step.keptMs));
    case "producers":
      return whole(await removeProducers(db, now - step.keptMs));
    case "events":
      return retainEvents(parts, step);
    case "size":
      return {
        removed: 0,
        next: undefined,
        size: { eventBytes: await eventBytes(db), diskBytes: await parts.diskBytes() },
      };
  }
}

function whole(removed: number): Retained {
  return { removed, next: removed >= rowsMax ? { stream: 0, offset: 0 } : undefined };
}

async function removeRequests(db: Kysely<StoreTables>, before: number): Promise<number> {
  const oldest = db.selectFrom("requests").select("id").where("at", "<", before).orderBy("at").limit(rowsMax);
  const { numDeletedRows } = await db
    .deleteFrom("requests")
    .where("at", "<", before)
    .where("id", "in", oldest)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

async function removeProducers(db: Kysely<StoreTables>, before: number): Promise<number> {
  const silent = db.selectFrom("producers").select("producer").where("at", "<", before).limit(rowsMax);
  const { numDeletedRows } = await db
    .deleteFrom("producers")
    .where("at", "<", before)
    .where("producer", "in", silent)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

async function eventBytes(db: Kysely<StoreTables>): Promise<number> {
  const row = await db
    .selectFrom("streams")
    .select((of) => of.fn.sum("bytes").as("bytes"))
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}
