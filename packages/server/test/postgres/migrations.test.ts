/** Databases that this program must not use: told in one sentence, and left as they were. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { StartError } from "../../src/options.ts";
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { contractApp } from "../store/contract/implementation.ts";
import { type PostgresServer, startPostgres } from "../support/postgresServer.ts";

const startMsMax = 60_000;
const testMsMax = 30_000;

let postgres: PostgresServer;
const stores: Store[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function open(url: string): Promise<Store> {
  const store = await openPostgresStore({
    url,
    plugins: [contractApp],
    clock: platformClock,
    random: platformRandom,
    name: "migrations",
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
