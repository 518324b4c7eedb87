/** What a server's store on PostgreSQL holds, read past every proxy: the truth that all else is compared with. */
import { contentOf } from "./content.ts";
import type { LoggedEvent } from "./storeLog.ts";

/** Runs a query and gives its rows, numbers of 64 bits as texts. */
export type Query = (text: string) => Promise<readonly unknown[]>;

const selectAll = `select workspace, name, epoch, "offset", at, event, data
  from events join streams on streams.id = events.stream order by streams.id, "offset"`;

interface Row {
  readonly workspace: string;
  readonly name: string;
  readonly epoch: string;
  readonly offset: string;
  readonly at: string;
  readonly event: string;
  readonly data: string;
}

/** All events that are durable now, in the order of each stream. */
export async function readPostgresLog(query: Query): Promise<readonly LoggedEvent[]> {
  const rows = (await query(selectAll)) as readonly Row[];
  return rows.map(({ workspace, name: stream, epoch, offset, at, event, data }) => {
    const parsed = JSON.parse(data) as Readonly<Record<string, unknown>>;
    const content = contentOf(event, parsed);
    return { workspace, stream, epoch, offset: Number(offset), at: Number(at), event, data: parsed, content };
  });
}

/** Stream → its last offset. */
export async function readPostgresHeads(query: Query): Promise<ReadonlyMap<string, number>> {
  const rows = (await query("select name, head from streams")) as readonly { name: string; head: string }[];
  return new Map(rows.map(({ name, head }) => [name, Number(head)]));
}
