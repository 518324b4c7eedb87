/**
 * One step of the retention job, in one transaction: removes a small batch of what has outlived its time (ST-10).
 *
 * Invariants: a step looks at {@link rowsMax} rows or {@link dataBytesMax} of data at most, so that a commit waits
 * for milliseconds behind it, and it locks one stream's row at most, so that no two nodes ever wait for each other;
 * it says where the next one goes on. What may go is judged here, in the transaction that removes it: a thread that
 * was idle a moment ago may have a command now. When steps run, and how often, is the job's (`retention.ts`).
 */
import { type Kysely, sql } from "kysely";
import type { ReadTransaction, StreamFamily } from "../plugin.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Retained, RetainPlace, RetainStep } from "./port.ts";
import type { StoreTables, StreamsTable } from "./schema.ts";
import { newestOfScopes } from "./scopes.ts";

/** Rows that one step looks at. */
export const rowsMax = 1_000;
/** Data of events that one step looks at. */
const dataBytesMax = 1024 * 1024;
/** Streams that one step looks at: most have nothing to remove. */
const streamsMax = 200;

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

type StreamRow = Pick<StreamsTable, "workspace" | "name" | "head" | "trimmed" | "acknowledged"> & {
  readonly id: number;
};

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

/** Looks at streams in the order of their making, until something was removed or enough was looked at. */
async function retainEvents(parts: RetainParts, step: RetainStep & { of: "events" }): Promise<Retained> {
  const { from } = step;
  const streams = await parts.db
    .selectFrom("streams")
    .select(["id", "workspace", "name", "head", "trimmed", "acknowledged"])
    .where("id", from.offset > 0 ? ">=" : ">", from.stream)
    .orderBy("id")
    .limit(streamsMax)
    .execute();
  for (const row of streams) {
    const stream = numeric(row);
    const offset = stream.id === from.stream ? from.offset : 0;
    const done = await retainStream(parts, step, stream, offset);
    if (done.removed > 0 || done.goOn !== undefined) {
      const next: RetainPlace =
        done.goOn === undefined ? { stream: stream.id, offset: 0 } : { stream: stream.id, offset: done.goOn };
      return { removed: done.removed, bytes: done.bytes ?? 0, next };
    }
  }
  const last = streams.at(-1);
  return {
    removed: 0,
    next: streams.length < streamsMax || last === undefined ? undefined : { stream: last.id, offset: 0 },
  };
}

interface Done {
  readonly removed: number;
  readonly bytes?: number;
  /** The offset up to which this stream was looked at, where there is more of it to look at. */
  readonly goOn?: number;
}
const nothing: Done = { removed: 0 };

async function retainStream(
  parts: RetainParts,
  { lifetimes, only }: RetainStep & { of: "events" },
  stream: StreamRow,
  offset: number,
): Promise<Done> {
  const family = parts.family(stream.name);
  if (family === undefined) return nothing;
  const isOpen = async (): Promise<boolean> =>
    (await family.isOpen?.(parts.view(stream.workspace), stream.name)) === true;
  if (family.inbox) {
    if (only !== undefined) return nothing;
    const acknowledged = await removeOlder(parts, stream, lifetimes.acknowledgedMs, stream.acknowledged);
    if (acknowledged.removed > 0) return acknowledged;
    // OP-8: what nobody acknowledged goes only when it is too old to be obeyed and nothing waits for it.
    if (!(await hasOlder(parts, stream, lifetimes.expiredMs)) || (await isOpen())) return nothing;
    return removeOlder(parts, stream, lifetimes.expiredMs, stream.head);
  }
  if (family.lifetime === undefined) return nothing;
  const keptMs = lifetimeOf(family.lifetime, lifetimes);
  if (!(await hasOlder(parts, stream, keptMs))) return nothing;
  if (only === "replaced" || (await isOpen())) return removeReplaced(parts, family, stream, keptMs, offset);
  return removeOlder(parts, stream, keptMs, stream.head);
}

function lifetimeOf(lifetime: NonNullable<StreamFamily["lifetime"]>, lifetimes: Lifetimes): number {
  switch (lifetime) {
    case "work":
      return lifetimes.workMs;
    case "records":
      return lifetimes.recordsMs;
    case "audit":
      return lifetimes.auditMs;
  }
}

async function hasOlder({ db, now }: RetainParts, stream: StreamRow, keptMs: number): Promise<boolean> {
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
async function removeOlder(parts: RetainParts, stream: StreamRow, keptMs: number, through: number): Promise<Done> {
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
async function removeReplaced(
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

/** PostgreSQL gives its big integers as text. */
function numeric(row: StreamRow): StreamRow {
  const { id, head, trimmed, acknowledged } = row;
  return { ...row, id: Number(id), head: Number(head), trimmed: Number(trimmed), acknowledged: Number(acknowledged) };
}
