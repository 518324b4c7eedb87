/**
 * The log's statements for PostgreSQL: append under the heads' locks, and reads.
 *
 * One statement raises the heads of all streams of a batch, in the order of their names, which is the order in
 * which it locks them; `insert … on conflict` does so, `update … from (… order by …)` does not. Offsets come from
 * there, never from a sequence. Event data is text: `jsonb` refuses NUL and lone surrogates, which JSON allows.
 */
import type pg from "pg";
import type { PendingEvent, StoredRows } from "../dialect.ts";
import { createJoiner, encodedJson } from "../encodedEvent.ts";
import type { Appended, EncodedPiece, StoredEvent, StreamName, StreamPosition } from "../port.ts";

/** Rows of one insert: arrays of so many texts are built and parsed at once. */
const insertRowsMax = 2_000;

type Run = (text: string, values: readonly unknown[]) => Promise<pg.QueryResult>;

interface HeadRow {
  readonly id: number;
  readonly workspace: string;
  readonly name: string;
  readonly epoch: string;
  readonly head: number;
}

const raiseHeads = `insert into streams (workspace, name, epoch, head, acknowledged, bytes)
  select workspace, name, epoch, count, 0, bytes
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) as grown (workspace, name, epoch, count, bytes)
  order by workspace, name
  on conflict (workspace, name) do update
    set head = streams.head + excluded.head, bytes = streams.bytes + excluded.bytes
  returning id, workspace, name, epoch, head`;
const insertEvents = `insert into events (stream, "offset", at, event, keyframe, data)
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])`;
const selectPositions = `select epoch, head, trimmed, acknowledged
  from unnest($1::text[], $2::text[]) with ordinality as asked (workspace, name, place)
  left join streams using (workspace, name) order by place`;
const selectStream = "select id, head from streams where workspace = $1 and name = $2";
/** Rows up to the one that reaches the limit of bytes, as the server counts them. */
const selectEvents = `select "offset", at, event, keyframe, data, size from (
    select "offset", at, event, keyframe, data, octet_length(data) as size,
      sum(octet_length(data)) over (order by "offset" rows unbounded preceding) - octet_length(data) as before
    from events where stream = $1 and "offset" > $2 order by "offset" limit $3
  ) as counted where before < $4 order by "offset"`;

export async function append(
  run: Run,
  events: readonly PendingEvent[],
  newEpoch: () => string,
): Promise<readonly Appended[]> {
  if (events.length === 0) return [];
  const runs = groupByStream(events);
  const { rows } = await run(raiseHeads, [
    runs.map(({ workspace }) => workspace),
    runs.map(({ stream }) => stream),
    runs.map(() => newEpoch()),
    runs.map(({ pending }) => pending.length),
    runs.map(({ pending }) => pending.reduce((sum, { bytes }) => sum + bytes, 0)),
  ]);
  const heads = new Map((rows as HeadRow[]).map((row) => [`${row.workspace}\n${row.name}`, row]));
  const placed = runs.map(({ workspace, stream, pending }) => {
    const head = heads.get(`${workspace}\n${stream}`);
    if (head === undefined) throw new TypeError(`no head was given for ${stream}`);
    return { workspace, stream, pending, id: head.id, epoch: head.epoch, offset: head.head - pending.length + 1 };
  });
  const inserted = placed.flatMap(({ id, offset, pending }) =>
    pending.map((event, index) => ({ stream: id, offset: offset + index, event })),
  );
  const inserts: Promise<unknown>[] = [];
  for (let from = 0; from < inserted.length; from += insertRowsMax)
    inserts.push(insert(run, inserted.slice(from, from + insertRowsMax)));
  const settled = await Promise.allSettled(inserts);
  for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  return placed.map(({ workspace, stream, epoch, offset, pending }) => ({
    workspace,
    stream,
    epoch,
    offset,
    events: pending.map(toStored),
  }));
}

interface Placed {
  readonly stream: number;
  readonly offset: number;
  readonly event: PendingEvent;
}

async function insert(run: Run, rows: readonly Placed[]): Promise<void> {
  await run(insertEvents, [
    rows.map(({ stream }) => stream),
    rows.map(({ offset }) => offset),
    rows.map(({ event }) => event.at),
    rows.map(({ event }) => event.event),
    rows.map(({ event }) => event.keyframe ?? null),
    rows.map(({ event }) => event.json),
  ]);
}

interface StreamRun {
  readonly workspace: string;
  readonly stream: string;
  readonly pending: PendingEvent[];
}

function groupByStream(events: readonly PendingEvent[]): StreamRun[] {
  const runs = new Map<string, StreamRun>();
  for (const event of events) {
    const { workspace, stream } = event;
    const key = `${workspace}\n${stream}`;
    const run = runs.get(key) ?? { workspace, stream, pending: [] };
    runs.set(key, run);
    run.pending.push(event);
  }
  return [...runs.values()];
}

function toStored({ event, at, json, keyframe }: PendingEvent): StoredEvent {
  return { event, at, json, ...(keyframe === undefined ? {} : { keyframe }) };
}

export async function positions(run: Run, streams: readonly StreamName[]): Promise<(StreamPosition | null)[]> {
  if (streams.length === 0) return [];
  const names = [streams.map(({ workspace }) => workspace), streams.map(({ stream }) => stream)];
  const { rows } = await run(selectPositions, names);
  return (rows as (StreamPosition | { readonly epoch: null })[]).map((row) =>
    row.epoch === null
      ? null
      : { epoch: row.epoch, head: row.head, trimmed: row.trimmed, acknowledged: row.acknowledged },
  );
}

interface EventRow {
  readonly offset: number;
  readonly at: number;
  readonly event: string;
  readonly keyframe: string | null;
  readonly data: string;
  readonly size: number;
}

interface Page {
  readonly head: number;
  readonly rows: readonly EventRow[];
  readonly more: boolean;
}

async function page(
  run: Run,
  { workspace, stream }: StreamName,
  offset: number,
  eventsMax: number,
  bytesMax: number,
): Promise<Page | undefined> {
  const found = await run(selectStream, [workspace, stream]);
  const [row] = found.rows as { readonly id: number; readonly head: number }[];
  if (row === undefined) return undefined;
  const { rows } = (await run(selectEvents, [row.id, offset, eventsMax, bytesMax])) as { rows: EventRow[] };
  const bytes = rows.reduce((sum, { size }) => sum + size, 0);
  return { head: row.head, rows, more: rows.length === eventsMax || bytes >= bytesMax };
}

export async function read(
  run: Run,
  stream: StreamName,
  offset: number,
  eventsMax: number,
  bytesMax: number,
): Promise<StoredRows> {
  const found = await page(run, stream, offset, eventsMax, bytesMax);
  if (found === undefined) return { rows: [], head: 0, more: false };
  const rows = found.rows.map(({ offset: at, at: time, event, keyframe, data }) => ({
    offset: at,
    at: time,
    event,
    json: data,
    ...(keyframe === null ? {} : { keyframe }),
  }));
  return { rows, head: found.head, more: found.more };
}

export async function readPieces(
  run: Run,
  stream: StreamName,
  offset: number,
  bounds: { readonly eventsMax: number; readonly bytesMax: number; readonly pieceBytesMax: number },
): Promise<readonly EncodedPiece[] | undefined> {
  const found = await page(run, stream, offset, bounds.eventsMax, bounds.bytesMax);
  if (found === undefined) return undefined;
  const joiner = createJoiner(bounds.pieceBytesMax);
  let last = offset;
  for (const { offset: at, at: time, event, keyframe, data } of found.rows) {
    if (at !== last + 1) return undefined;
    joiner.add(encodedJson(event, time, data, keyframe ?? undefined), 1);
    last = at;
  }
  return !found.more && last < found.head ? undefined : joiner.finish();
}
