/**
 * Removes events of one stream: from its beginning on, or those that later keyframes replace (ST-10).
 *
 * Invariants: one call looks at {@link rowsMax} rows or {@link dataBytesMax} of data at most; what is left keeps its
 * offset; the stream's row tells what went: `trimmed` for a removed beginning, `bytes` and `removed` for all of it.
 * It deliberately judges nothing but age and scopes: what may go at all is `retainEvents.ts`'s to say.
 */
import { type Kysely, sql } from "kysely";
import type { ReadTransaction, StreamFamily } from "../plugin.ts";
import type { StoreTables, StreamsTable } from "./schema.ts";
import { newestOfScopes } from "./scopes.ts";

/** Rows that one step looks at. */
export const rowsMax = 1_000;
/** Data of events that one step looks at. */
const dataBytesMax = 1024 * 1024;

export interface RetainParts {
  readonly db: Kysely<StoreTables>;
  readonly family: (stream: string) => StreamFamily | undefined;
  /** For the app's hooks. */
  readonly view: (workspace: string) => ReadTransaction;
  /** Removes a stream's events up to `through`. */
  readonly trim: (workspace: string, stream: string, through: number) => Promise<void>;
  readonly diskBytes: () => Promise<number>;
  /** The store's clock, ms since 1970. */
  readonly now: number;
}

export type StreamRow = Pick<StreamsTable, "workspace" | "name" | "head" | "trimmed" | "acknowledged"> & {
  readonly id: number;
};

export interface Done {
  readonly removed: number;
  readonly bytes?: number;
  /** The offset up to which this stream was looked at, where there is more of it to look at. */
  readonly goOn?: number;
}
export const nothing: Done = { removed: 0 };

/** Whether its first event is older. */
export async function hasOlder({ db, now }: RetainParts, stream: StreamRow, keptMs: number): Promise<boolean> {
  const oldest = await db
    .selectFrom("events")
    .select("at")
    .where("stream", "=", stream.id)
    .orderBy("offset")
    .limit(1)
    .executeTakeFirst();
  return oldest !== undefined && Number(oldest.at) < now - keptMs;
}

/** Removes from the beginning on what is older, up to `through` at most. */
export async function removeOlder(
  parts: RetainParts,
  stream: StreamRow,
  keptMs: number,
  through: number,
): Promise<Done> {
  const rows = await parts.db
    .selectFrom("events")
    .select(["offset", "at", sql<number>`octet_length(data)`.as("bytes")])
    .where("stream", "=", stream.id)
    .where("offset", "<=", through)
    .orderBy("offset")
    .limit(rowsMax)
    .execute();
  let last: number | undefined;
  let removed = 0;
  let bytes = 0;
  for (const row of rows) {
    if (Number(row.at) >= parts.now - keptMs || (bytes > 0 && bytes + Number(row.bytes) > dataBytesMax)) break;
    last = Number(row.offset);
    removed += 1;
    bytes += Number(row.bytes);
  }
  if (last === undefined) return nothing;
  await parts.trim(stream.workspace, stream.name, last);
  await countDown(parts.db, stream.id, removed, bytes);
  return { removed, bytes, goOn: last };
}

/** Removes what a later keyframe of its scope replaces, wherever it stands; what is left keeps its offset. */
export async function removeReplaced(
  parts: RetainParts,
  family: StreamFamily,
  stream: StreamRow,
  keptMs: number,
  offset: number,
): Promise<Done> {
  const { db, now } = parts;
  const rows = await db
    .selectFrom("events")
    .select(["offset", "at", "event", "keyframe", "data", sql<number>`octet_length(data)`.as("bytes")])
    .where("stream", "=", stream.id)
    .where("offset", ">", offset)
    .orderBy("offset")
    .limit(rowsMax)
    .execute();
  const newest = newestOfScopes(db, stream.id);
  const gone: number[] = [];
  let looked = 0;
  let bytes = 0;
  let removedBytes = 0;
  let isYoung = false;
  for (const row of rows) {
    isYoung = Number(row.at) >= now - keptMs;
    if (isYoung || (looked > 0 && bytes + Number(row.bytes) > dataBytesMax)) break;
    looked += 1;
    bytes += Number(row.bytes);
    const scope = row.keyframe ?? family.scopeOf?.(row.event, JSON.parse(row.data) as unknown);
    if (scope === undefined || (await newest(scope)) <= Number(row.offset)) continue;
    gone.push(Number(row.offset));
    removedBytes += Number(row.bytes);
  }
  if (gone.length > 0) {
    await db.deleteFrom("events").where("stream", "=", stream.id).where("offset", "in", gone).execute();
    await countDown(db, stream.id, gone.length, removedBytes);
    await raiseTrimmed(db, stream);
  }
  const last = rows[looked - 1];
  const hasMore = !isYoung && (looked < rows.length || rows.length === rowsMax);
  return {
    removed: gone.length,
    bytes: removedBytes,
    ...(hasMore && last !== undefined ? { goOn: Number(last.offset) } : {}),
  };
}

/** For `"start"` a removed beginning is `subscribed.offset`. */
async function raiseTrimmed(db: Kysely<StoreTables>, stream: StreamRow): Promise<void> {
  const first = await db
    .selectFrom("events")
    .select("offset")
    .where("stream", "=", stream.id)
    .orderBy("offset")
    .limit(1)
    .executeTakeFirst();
  const trimmed = first === undefined ? stream.head : Number(first.offset) - 1;
  if (trimmed > stream.trimmed) await db.updateTable("streams").set({ trimmed }).where("id", "=", stream.id).execute();
}

async function countDown(db: Kysely<StoreTables>, stream: number, events: number, bytes: number): Promise<void> {
  await db
    .updateTable("streams")
    .set((of) => ({ bytes: of("bytes", "-", bytes), removed: of("removed", "+", events) }))
    .where("id", "=", stream)
    .execute();
}
