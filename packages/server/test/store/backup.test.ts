/** Backup, restore, and the copy before a migration: real files, and nothing touched where it is refused. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { StartError } from "../../src/options.ts";
import type { Plugin } from "../../src/plugin.ts";
import { platformClock } from "../../src/ports/platform.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import { createEngine, type Engine } from "../../src/store/engine.ts";
import { backupStore, restoreStore } from "../../src/store/sqlite/backup.ts";
import { openSqlite } from "../../src/store/sqlite/dialect.ts";
import { lockFolder } from "../../src/store/sqlite/lock.ts";
import { migrateWhole, prepareMigration } from "../../src/store/sqlite/migrating.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { plugin as notes } from "../support/notesApp.ts";

const folders: string[] = [];
const dialects: Dialect[] = [];
afterEach(async () => {
  for (const dialect of dialects.splice(0)) await dialect.close().catch(() => {});
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-backup-"));
  folders.push(folder);
  return folder;
}

/** A store of a folder in this thread, as the worker opens it, without the folder's lock. */
async function open(
  folder: string,
  plugins: readonly Plugin[] = [notes],
): Promise<{ engine: Engine; dialect: Dialect }> {
  prepareMigration(folder, plugins);
  const dialect = openSqlite({ file: join(folder, "holdfast.db"), readOnly: false });
  dialects.push(dialect);
  await migrateWhole(dialect, plugins);
  const random = { bytes: (count: number) => randomBytes(count) };
  return { dialect, engine: createEngine({ dialect, plugins, clock: { now: Date.now }, random }) };
}

const append = (engine: Engine, stream: string, count = 1) =>
  engine.commit([
    {
      kind: "append",
      workspace: "default",
      stream,
      events: Array.from({ length: count }, () => ({ event: "line", data: { text: "x".repeat(100) } })),
    },
  ]);
const refusalOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return "not refused";
};
const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
/** One sentence: with a full stop at its end, and none before. */
const oneSentence = /^[^\n]*[^.\n]\.$/;

describe("a backup", () => {
  it("[ST-15] is the store as of one moment, taken beside its writer, and kept private", async () => {
    const folder = newFolder();
    const { engine } = await open(folder);
    for (let count = 0; count < 50; count += 1) await append(engine, `log/${count % 3}`, 20);
    const file = join(newFolder(), "backup");
    const { bytes } = backupStore({ folder, file });
    await append(engine, "log/0", 20);
    expect(statSync(file)).toMatchObject({ size: bytes });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(file, { readOnly: true });
    const rows = copy.prepare(
      'select name, head, count(*) as events, min("offset") as first, max("offset") as last from streams join events on stream = id group by id order by name',
    );
    expect(rows.all()).toMatchObject([
      { name: "log/0", head: 340, events: 340, first: 1, last: 340 },
      { name: "log/1", head: 340, events: 340, first: 1, last: 340 },
      { name: "log/2", head: 320, events: 320, first: 1, last: 320 },
    ]);
    copy.close();
    expect(readdirSync(join(file, ".."))).toEqual(["backup"]);
  });

  it("[ST-15] is refused in one sentence that names what to do, and leaves nothing behind", async () => {
    const folder = newFolder();
    const place = newFolder();
    const file = join(place, "backup");
    expect(refusalOf(() => backupStore({ folder, file }))).toMatch(/^There is no store in the data folder .*--data/);
    await open(folder);
    writeFileSync(file, "mine");
    expect(refusalOf(() => backupStore({ folder, file }))).toBe(`${file} exists; name another file, or remove it.`);
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(refusalOf(() => backupStore({ folder, file: join(place, "none", "backup") }))).toContain("(ENOENT)");
    expect(readdirSync(place)).toEqual(["backup"]);
  });

  it("[ST-15] that is killed half-way leaves nothing under its name, and another to that name is refused until that is looked at", async () => {
    const folder = newFolder();
    const { engine } = await open(folder);
    for (let count = 0; count < 40; count += 1) await append(engine, "log/a", 500);
    const file = join(newFolder(), "backup");
    const module = new URL("../../src/store/sqlite/backup.ts", import.meta.url).href;
    const parameters = [
      "-e",
      `import(${JSON.stringify(module)}).then(({ backupStore }) => backupStore(${JSON.stringify({ folder, file })}))`,
    ];
    const child = spawn(process.execPath, parameters, { stdio: "ignore" });
    const ended = new Promise((done) => child.once("exit", done));
    // Looked at each turn of the loop: the copy takes many.
    while (!existsSync(`${file}.partial`) && child.exitCode === null) await new Promise((done) => setImmediate(done));
    child.kill("SIGKILL");
    await ended;
    const left = readdirSync(join(file, ".."));
    expect(left).toContain("backup.partial");
    expect(left).not.toContain("backup");
    expect(refusalOf(() => backupStore({ folder, file }))).toBe(
      `${file}.partial exists: a backup to ${file} is under way, or one was killed; wait for its end, or remove that file.`,
    );
    rmSync(`${file}.partial`);
    backupStore({ folder, file });
    expect(readdirSync(join(file, ".."))).toEqual(["backup"]);
  });

  it("of a damaged store is refused: it would only be found when it is needed", async () => {
    const folder = newFolder();
    const { engine, dialect } = await open(folder);
    await append(engine, "log/a", 500);
    await dialect.close();
    const source = join(folder, "holdfast.db");
    truncateSync(source, statSync(source).size - 8_192);
    const file = join(newFolder(), "backup");
    expect(refusalOf(() => backupStore({ folder, file }))).toMatch(/failed .*; nothing was written\.$/);
    expect(existsSync(file)).toBe(false);
  });
});

describe("a restore", () => {
  it("[ST-15] of the store itself is refused: its newest commits may lie beside it", async () => {
    const folder = newFolder();
    const { dialect } = await open(folder);
    await dialect.close();
    const file = join(folder, "holdfast.db");
    const before = hashOf(file);
    expect(refusalOf(() => restoreStore({ folder, file, plugins: [notes] }))).toMatch(
      /is the store itself; name a file/,
    );
    expect([hashOf(file), readdirSync(folder).filter((name) => name.includes("restor"))]).toEqual([before, []]);
  });

  it("[ST-15] gives every stream a new epoch, durably, and keeps what was acknowledged and the store before it", async () => {
    const folder = newFolder();
    const first = await open(folder);
    for (const stream of ["log/a", "inbox/a"]) await append(first.engine, stream, 3);
    const before = [
      await first.dialect.position("default", "log/a"),
      await first.dialect.position("default", "inbox/a"),
    ] as const;
    const cursor = { epoch: before[1]?.epoch ?? "", offset: 2 };
    await first.engine.commit([{ kind: "ack", workspace: "default", stream: "inbox/a", cursor }]);
    const file = join(newFolder(), "backup");
    backupStore({ folder, file });
    await append(first.engine, "log/a", 4);
    await first.dialect.close();

    const { streams, kept } = restoreStore({ folder, file, plugins: [notes] });
    expect(streams).toBe(2);
    const restored = await open(folder);
    const log = await restored.dialect.position("default", "log/a");
    const inbox = await restored.dialect.position("default", "inbox/a");
    expect(log).toMatchObject({ head: 3 });
    expect(inbox).toMatchObject({ head: 3, acknowledged: 2 });
    expect(log?.epoch).not.toBe(before[0]?.epoch);
    expect(inbox?.epoch).not.toBe(before[1]?.epoch);
    // The store that was there, whole.
    const former = new DatabaseSync(kept ?? "", { readOnly: true });
    expect(former.prepare("select head, epoch from streams where name = 'log/a'").get()).toEqual({
      head: 7,
      epoch: before[0]?.epoch,
    });
    former.close();
    await restored.dialect.close();
    // Twice: another epoch, and another name for what is kept.
    expect(restoreStore({ folder, file, plugins: [notes] }).kept).toBe(`${kept}-2`);
    const again = await open(folder);
    expect((await again.dialect.position("default", "log/a"))?.epoch).not.toBe(log?.epoch);
  });

  it("[ST-15] into an empty folder moves a store", async () => {
    const from = newFolder();
    const { engine } = await open(from);
    await append(engine, "log/a", 3);
    const file = join(newFolder(), "backup");
    backupStore({ folder: from, file });
    const folder = join(newFolder(), "new");
    expect(restoreStore({ folder, file, plugins: [notes] })).toEqual({ streams: 1, kept: undefined });
    const { dialect } = await open(folder);
    expect((await dialect.read("default", "log/a", 0, 10, 10_000)).rows).toHaveLength(3);
  });

  it("[ST-15] of a damaged store works: the log of the former one never lies beside the new one", async () => {
    const folder = newFolder();
    const { engine, dialect } = await open(folder);
    await append(engine, "log/a", 3);
    const file = join(newFolder(), "backup");
    backupStore({ folder, file });
    await dialect.close();
    writeFileSync(join(folder, "holdfast.db"), "this is no database");
    writeFileSync(join(folder, "holdfast.db-wal"), "nor is this its log");
    const { kept } = restoreStore({ folder, file, plugins: [notes] });
    expect(readFileSync(kept ?? "", "utf8")).toBe("this is no database");
    expect(readFileSync(`${kept}-wal`, "utf8")).toBe("nor is this its log");
    const restored = await open(folder);
    expect(await restored.dialect.position("default", "log/a")).toMatchObject({ head: 3 });
  });

  it("[ST-15] is refused in one sentence and leaves the store as it was", async () => {
    const folder = newFolder();
    const { engine, dialect } = await open(folder);
    await append(engine, "log/a", 300);
    await dialect.close();
    const place = newFolder();
    const [good, text, cut, other] = ["good", "text", "cut", "other"].map((name) => join(place, name)) as [
      string,
      string,
      string,
      string,
    ];
    backupStore({ folder, file: good });
    writeFileSync(text, "this is no database");
    writeFileSync(cut, readFileSync(good).subarray(0, statSync(good).size - 8_192));
    new DatabaseSync(other).exec("create table t (x)");
    const before = hashOf(join(folder, "holdfast.db"));
    const restore = (file: string, plugins: readonly Plugin[] = [notes]) =>
      refusalOf(() => restoreStore({ folder, file, plugins }));
    expect(restore(join(place, "none"))).toMatch(/cannot be read \(ENOENT\)/);
    expect(restore(text)).toMatch(/not a whole backup/);
    expect(restore(cut)).toMatch(/not a whole backup/);
    expect(restore(other)).toMatch(/holds no Holdfast store/);
    expect(restore(good, [])).toMatch(/a newer program has written it \(it has "notes-001"/);
    const lock = lockFolder(folder);
    expect(restore(good)).toBe(`The data folder ${folder} is in use by a running Holdfast; stop it first.`);
    lock.release();
    for (const file of [join(place, "none"), text, cut, other]) expect(restore(file)).toMatch(oneSentence);
    expect(hashOf(join(folder, "holdfast.db"))).toBe(before);
    expect(readdirSync(folder).filter((name) => !/^lock|-(?:wal|shm)$/.test(name))).toEqual(["holdfast.db"]);
  });
});

describe("the copy before a migration", () => {
  const next: Plugin = {
    ...notes,
    migrations: {
      ...notes.migrations,
      "notes-002": { up: (db) => sql`alter table notes add column more text`.execute(db).then(() => {}) },
    },
  };
  const breaking: Plugin = {
    ...notes,
    migrations: {
      ...notes.migrations,
      "notes-002": {
        up: async (db) => {
          await sql`create table half (x integer)`.execute(db);
          await sql`insert into nowhere values (1)`.execute(db);
        },
      },
    },
  };

  it("is made once something changes, and not else", async () => {
    const folder = newFolder();
    const { engine, dialect } = await open(folder);
    await append(engine, "log/a", 3);
    await dialect.close();
    await (await open(folder)).dialect.close();
    expect(readdirSync(folder)).toEqual(["holdfast.db"]);
    await open(folder, [next]);
    const copy = new DatabaseSync(join(folder, "holdfast.db.before-notes-002"), { readOnly: true });
    expect(copy.prepare("select head from streams where name = 'log/a'").get()).toEqual({ head: 3 });
    expect(copy.prepare("select name from pragma_table_info('notes')").all()).toHaveLength(2);
    copy.close();
  });

  it("a migration that fails changes nothing: the program of before opens the store", async () => {
    const folder = newFolder();
    const { engine, dialect } = await open(folder);
    await append(engine, "log/a", 3);
    await dialect.close();
    await expect(open(folder, [breaking])).rejects.toThrow("no such table: nowhere");
    const again = await open(folder);
    expect(await again.dialect.position("default", "log/a")).toMatchObject({ head: 3 });
    const tables = await sql<{ name: string }>`select name from sqlite_schema where name = 'half'`.execute(
      again.dialect.kysely,
    );
    expect(tables.rows).toEqual([]);
    expect(existsSync(join(folder, "holdfast.db.before-notes-002"))).toBe(true);
    // The next try is not stopped by the copy of this one.
    await again.dialect.close();
    await open(folder, [next]);
  });

  it("a store of a newer program is refused with one sentence, and nothing is written", async () => {
    const folder = newFolder();
    const { dialect } = await open(folder, [next]);
    await dialect.close();
    const before = hashOf(join(folder, "holdfast.db"));
    const app = new URL("../support/notesApp.ts", import.meta.url);
    const refused = openSqliteStore({ folder, plugins: [app], clock: platformClock, onFailure: () => {} });
    await expect(refused).rejects.toThrow(
      new StartError(
        `The store in ${folder} cannot be opened: a newer program has written it (it has "notes-002", which this one does not know); start that one, or restore an older backup.`,
      ),
    );
    expect(hashOf(join(folder, "holdfast.db"))).toBe(before);
    expect(readdirSync(folder).filter((name) => !/^lock|-(?:wal|shm)$/.test(name))).toEqual(["holdfast.db"]);
  });

  it("a store that something left half migrated is refused, and is as it was", async () => {
    const folder = newFolder();
    const half = new DatabaseSync(join(folder, "holdfast.db"));
    half.exec("pragma journal_mode=wal; create table streams (id integer primary key); insert into streams values (7)");
    half.close();
    await expect(open(folder)).rejects.toThrow(/table "?streams"? already exists/);
    const after = new DatabaseSync(join(folder, "holdfast.db"), { readOnly: true });
    expect(after.prepare("select * from streams").all()).toEqual([{ id: 7 }]);
    expect(after.prepare("select count(*) as tables from sqlite_schema where type = 'table'").get()).toEqual({
      tables: 1,
    });
    after.close();
  });

  it("keeps the newest two copies", async () => {
    const folder = newFolder();
    let plugin: Plugin = notes;
    await (await open(folder)).dialect.close();
    for (const number of [2, 3, 4, 5]) {
      const name = `notes-00${number}`;
      const up = (db: Parameters<NonNullable<Plugin["migrations"][string]>["up"]>[0]): Promise<void> =>
        sql`create table ${sql.table(`t${number}`)} (x integer)`.execute(db).then(() => {});
      plugin = { ...plugin, migrations: { ...plugin.migrations, [name]: { up } } };
      await (await open(folder, [plugin])).dialect.close();
    }
    const copies = readdirSync(folder).filter((name) => name.includes("before"));
    expect(copies.sort()).toEqual(["holdfast.db.before-notes-004", "holdfast.db.before-notes-005"]);
  });
});
