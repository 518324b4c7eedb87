/**
 * The log as handlers and snapshots read it, inside their own transaction (ST-9).
 *
 * Typed queries on the transaction's connection, so what is read belongs to the same moment as everything else
 * there. Invariants: memory is bounded by the range's limits, and a page of {@link pageRows} rows more; events
 * come in the order of their offsets. It deliberately rolls nothing up and names no gaps: that is the wire's way.
 */
import type { Kysely, Selectable } from "kysely";
import type { LoggedEvent, LogRange, LogReader, SomeTables } from "../plugin.ts";
import type { EventsTable, StoreTables } from "./schema.ts";

/** A fetch of rows: their data is at most 128 KiB each. */
const pageRows = 200;

export function createLogReader(database: Kysely<SomeTables>, workspace: string): LogReader {
  const db = database as Kysely<StoreTables>;
  const find = (name: string) =>
    db
      .selectFrom("streams")
      .select(["id", "head", "removed"])
      .where("workspace", "=", workspace)
      .where("name", "=", name)
      .executeTakeFirst();

  return {
    async head(stream) {
      return Number((await find(stream))?.head ?? 0);
    },

    async isWhole(stream) {
      return Number((await find(stream))?.removed ?? 0) === 0;
    },

    async keyframe(stream, scope) {
      const found = await find(stream);
      if (found === undefined) return undefined;
      const row = await db
        .selectFrom("events")
        .selectAll()
        .where("stream", "=", found.id)
        .where("keyframe", "=", scope)
        .orderBy("offset", "desc")
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : toEvent(row);
    },

    async read(stream, range) {
      const found = await find(stream);
      return found === undefined ? [] : readRange(db, found.id, range);
    },
  };
}

async function readRange(db: Kysely<StoreTables>, stream: number, range: LogRange): Promise<LoggedEvent[]> {
  const { names, end, eventsMax, bytesMax } = range;
  const events: LoggedEvent[] = [];
  let { after, before } = range;
  let bytes = 0;
  while (events.length < eventsMax) {
    const limit = Math.min(pageRows, eventsMax - events.length);
    let query = db.selectFrom("events").selectAll().where("stream", "=", stream).where("offset", ">", after);
    if (before !== undefined) query = query.where("offset", "<", before);
    if (names !== undefined) query = query.where("event", "in", names);
    const rows = await query
      .orderBy("offset", end === "newest" ? "desc" : "asc")
      .limit(limit)
      .execute();
    for (const row of rows) {
      bytes += row.data.length;
      if (bytes > bytesMax && events.length > 0) return inOrder(events, end);
      events.push(toEvent(row));
    }
    const last = events.at(-1)?.offset;
    if (rows.length < limit || last === undefined) break;
    if (end === "newest") before = last;
    else after = last;
  }
  return inOrder(events, end);
}

function inOrder(events: LoggedEvent[], end: LogRange["end"]): LoggedEvent[] {
  return end === "newest" ? events.reverse() : events;
}

function toEvent({ offset, at, event, data, keyframe }: Selectable<EventsTable>): LoggedEvent {
  return {
    offset: Number(offset),
    at: Number(at),
    event,
    data: JSON.parse(data) as unknown,
    ...(keyframe === null ? {} : { keyframe }),
  };
}
