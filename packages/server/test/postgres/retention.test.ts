/** Retention on PostgreSQL: several nodes keep one table of lifetimes, and count what went once. */
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import { defaultLifetimes } from "../../src/store/lifetimes.ts";
import type { Retained, RetainPlace, Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { contractApp } from "../store/contract/implementation.ts";
import { type PostgresServer, startPostgres } from "../support/postgresServer.ts";

const startMsMax = 60_000;
/** Younger than nothing: all is past its time. */
const atOnceMs = -60_000;
const lifetimes = { ...defaultLifetimes, workMs: atOnceMs };

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);

const openNode = (url: string, name: string): Promise<Store> =>
  openPostgresStore({ url, name, plugins: [contractApp], clock: platformClock, random: platformRandom });

async function retainAll(store: Store): Promise<number> {
  let removed = 0;
  let from: RetainPlace | undefined = { stream: 0, offset: 0 };
  while (from !== undefined) {
    const { outcomes } = await store.commit([{ kind: "retain", step: { of: "events", from, lifetimes } }]);
    const done = (outcomes[0] as { value: Retained }).value;
    removed += done.removed;
    from = done.next;
  }
  return removed;
}

it("[ST-10] nodes that clean up at once remove each event once, and count it once, beside those that append", {
  timeout: 60_000,
}, async () => {
  const url = await postgres.newDatabase();
  const nodes = await Promise.all(["one", "two", "three"].map((name) => openNode(url, name)));
  const [first] = nodes as [Store, Store, Store];
  const events = Array.from({ length: 300 }, () => ({ event: "drawn", data: "x".repeat(50) }));
  const streams = ["work/a", "work/b", "work/c", "work/d", "work/e", "work/f"];
  const append = (stream: string) => first.commit([{ kind: "append", workspace: "default", stream, events }]);
  for (let round = 0; round < 10; round += 1) await Promise.all(streams.map(append));
  const [removed] = await Promise.all([
    Promise.all(nodes.map(retainAll)),
    Promise.all(Array.from({ length: 20 }, (_, index) => append(streams[index % streams.length] ?? ""))),
  ]);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `select name, head::int, removed::int, bytes::int, count(events.stream)::int as there, coalesce(sum(octet_length(data)), 0)::int as size
     from streams left join events on events.stream = streams.id group by streams.id order by name`,
  );
  await client.end();
  for (const store of nodes) await store.close();
  expect(rows).toHaveLength(streams.length);
  for (const { head, removed: gone, bytes, there, size } of rows) {
    expect({ gone, bytes }).toEqual({ gone: head - there, bytes: size });
  }
  const total = rows.reduce((sum, { removed: gone }) => sum + Number(gone), 0);
  expect(removed.reduce((sum, count) => sum + count, 0)).toBe(total);
});
