/** Databases that this program must not use: told in one sentence, and left as they were. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { StartError } from "../../src/options.ts";
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { contractApp } from "../store/contract/implementation.ts";
import { type PostgresServer, startPostgres } from "../support/postgresServer.ts";

const startMsMax = 60_000;
const testMsMax = 30_000;
/** Less than this side waits for an answer: it was the server that ended the statement. */
const readMsMax = 5_900;

let postgres: PostgresServer;
const stores: Store[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function open(url: string, onMigrationWait = (): void => {}): Promise<Store> {
  const store = await openPostgresStore({
    url,
    plugins: [contractApp],
    clock: platformClock,
    random: platformRandom,
    name: "migrations",
    onMigrationWait,
  });
  stores.push(store);
  return store;
}

/** All that a person could see of a database: its tables, their columns, and what the migrations' table holds. */
async function pictureOf(url: string): Promise<unknown> {
  const columns = await postgres.query(
    `select table_name, column_name, data_type from information_schema.columns
     where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2`,
    asSuperuser(url),
  );
  const hasMigrations = columns.some((row) => (row as { table_name: string }).table_name === "kysely_migration");
  const had = hasMigrations
    ? await postgres.query("select name from kysely_migration order by 1", asSuperuser(url))
    : [];
  return { columns, had };
}

const asSuperuser = (url: string): string => url.replace(/\/\/[^@]+@/, "//holdfast@");

async function refusalOf(url: string): Promise<string> {
  const before = await pictureOf(url);
  const failure = await open(url).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StartError);
  expect(await pictureOf(url)).toEqual(before);
  const { message } = failure as StartError;
  expect(message.trimEnd()).not.toContain("\n");
  return message;
}

describe("a database that must not be used", () => {
  it("[F79] of a newer program is refused with what it has more, and left as it is", {
    timeout: testMsMax,
  }, async () => {
    const url = await postgres.newDatabase();
    await (await open(url)).close();
    stores.length = 0;
    await postgres.query(
      "insert into kysely_migration (name, timestamp) values ('zz-999-tomorrow', '2099-01-01T00:00:00.000Z')",
      url,
    );
    expect(await refusalOf(url)).toMatch(
      /cannot be used: a newer program has written it \(it has "zz-999-tomorrow", which this one does not know\); start that one, or restore an older backup\.$/,
    );
  });

  it("[F79] where the user may make no tables is refused, and left as it is", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    await postgres.query("create role guest login", url);
    const asGuest = url.replace("holdfast@", "guest@");
    expect(await refusalOf(asGuest)).toMatch(
      /\(permission denied for schema public\): give the user the right to create/,
    );
  });

  it("[F79] whose tables the user may not read is refused, and left as it is", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    await (await open(url)).close();
    stores.length = 0;
    await postgres.query("create role stranger login", url);
    const asStranger = url.replace("holdfast@", "stranger@");
    expect(await refusalOf(asStranger)).toMatch(
      /\(permission denied for table kysely_migration\): give the user the right/,
    );
  });

  it("[F79] that something left half migrated is refused, and left as it is", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    await postgres.query("create table requests (x int); insert into requests values (7)", url);
    expect(await refusalOf(url)).toMatch(/\(relation "requests" already exists\): it holds a part of a store/);
    expect(await postgres.query("select x from requests", url)).toEqual([{ x: 7 }]);
  });

  it("[F79] and four nodes that start at once on an empty one are all served", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    const opened = await Promise.all([open(url), open(url), open(url), open(url)]);
    for (const store of opened) expect(await store.position("default", "nothing")).toBeNull();
  });
});

const otherMigrator = (schema: string): string => `
  create table ${schema}.kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null);
  create table ${schema}.kysely_migration_lock (id varchar(255) primary key, is_locked integer not null);
  insert into ${schema}.kysely_migration values ('0001-users', '2020-01-01T00:00:00.000Z')`;

describe("a database that is shared", () => {
  it("[F79] with a program whose migrations are in another schema is used", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    await postgres.query(`create schema other; ${otherMigrator("other")}`, url);
    expect(await (await open(url)).position("default", "nothing")).toBeNull();
    expect(await postgres.query("select name from other.kysely_migration", url)).toEqual([{ name: "0001-users" }]);
  });

  it("[F79] with one whose migrations are where ours would be is refused as that, and left as it is", {
    timeout: testMsMax,
  }, async () => {
    const url = await postgres.newDatabase();
    await postgres.query(otherMigrator("public"), url);
    expect(await refusalOf(url)).toMatch(
      /kysely_migration is another program's \(it has "0001-users"\); name a database/,
    );
  });

  it("[F79] keeps its tables where its user's search_path finds them, also after another schema was put before it", {
    timeout: testMsMax,
  }, async () => {
    const url = await postgres.newOwnedDatabase();
    const first = await open(url);
    await first.commit([{ kind: "append", workspace: "w", stream: "s", events: [{ event: "noted", data: 1 }] }]);
    const user = new URL(url).username;
    await postgres.query(`create schema before; alter role ${user} set search_path = before, public`, url);
    expect(await (await open(url)).position("w", "s")).toMatchObject({ head: 1 });
  });

  it("[F79] by a user whose transactions only read by default is written all the same", {
    timeout: testMsMax,
  }, async () => {
    const url = await postgres.newOwnedDatabase();
    await postgres.query(`alter role ${new URL(url).username} set default_transaction_read_only = on`, url);
    const store = await open(url);
    const { outcomes } = await store.commit([{ kind: "probe" }]);
    expect(outcomes).toMatchObject([{ ok: true }]);
  });
});

it("[RQ-1] a clock that is minutes from the database's is told at the start, and one that is seconds off is not", {
  timeout: testMsMax,
}, async () => {
  const url = await postgres.newDatabase();
  const told: number[] = [];
  for (const offMs of [0, 5_000, 240_000, -240_000]) {
    const clock = { ...platformClock, now: () => platformClock.now() + offMs };
    const parts = { url, plugins: [contractApp], clock, random: platformRandom, name: "skewed" };
    stores.push(await openPostgresStore({ ...parts, onClockDifference: (aheadMs) => told.push(aheadMs) }));
  }
  expect(told.map((aheadMs) => Math.round(aheadMs / 10_000))).toEqual([24, -24]);
});

describe("a migration that must wait", () => {
  it("[F79] for another node says so, and goes on after it", { timeout: testMsMax }, async () => {
    const url = await postgres.newDatabase();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    // Kysely's own number, which every node takes.
    await other.query("select pg_advisory_lock(3853314791062309107)");
    let waits = 0;
    let told = (): void => {};
    const said = new Promise<void>((done) => {
      told = done;
    });
    const opening = open(url, () => {
      waits += 1;
      told();
    });
    await said;
    await other.end();
    expect(await (await opening).position("default", "nothing")).toBeNull();
    expect(waits).toBe(1);
  });

  it("[F79][AD-2] for a forgotten transaction is refused after 3 s, for meanwhile nobody else reads; and no read outlives its caller there", {
    timeout: testMsMax,
  }, async () => {
    const url = await postgres.newDatabase();
    const atWork = await open(url);
    await postgres.query("delete from kysely_migration where name = 'store-002-retention'", url);
    const forgotten = new pg.Client({ connectionString: url });
    await forgotten.connect();
    await forgotten.query("begin; lock table streams in access exclusive mode");
    const began = performance.now();
    const [refusal, read] = await Promise.all([
      open(url).catch((error: unknown) => error),
      atWork.position("default", "nothing").catch((error: unknown) => error),
    ]);
    expect(performance.now() - began).toBeLessThan(readMsMax);
    expect(String(refusal)).toMatch(/a transaction of somebody else holds a table .* and nothing was changed/);
    expect(read).toMatchObject({
      code: "store_unavailable",
      cause: { code: expect.stringMatching(/^(57014|55P03)$/) },
    });
    const waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock'";
    expect(await postgres.query(waiting)).toEqual([]);
    await forgotten.end();
    expect(await atWork.position("default", "nothing")).toBeNull();
  });
});
