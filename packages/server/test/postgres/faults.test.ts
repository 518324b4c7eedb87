/** PostgreSQL that fails: commits whose answer is lost, a server that hangs or dies, several nodes at once, data it refuses. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import { isOutage } from "../../src/store/outage.ts";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { codeOf, contractApp, line, newId, newTrial, publish, put, readAll } from "../store/contract/implementation.ts";
import { type CommitLoss, startPostgresProxy } from "../support/postgresProxy.ts";
import { type PostgresServer, startPostgres } from "../support/postgresServer.ts";

const startMsMax = 60_000;
const faultMsMax = 60_000;
/** Above the store's own deadlines. */
const answerMsMax = 12_000;
/** Less than any deadline of a call. */
const closeMsMax = 3_900;

let server: PostgresServer;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startPostgres();
}, startMsMax);
afterAll(async () => {
  await server.end();
}, startMsMax);
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
}, startMsMax);

async function openStore(url: string): Promise<Store> {
  const store = await openPostgresStore({
    url,
    plugins: [contractApp],
    clock: platformClock,
    random: platformRandom,
    name: "trial",
  });
  open.push(store);
  return store;
}

const unavailable = { name: "ProtocolError", code: "store_unavailable", retryAfter: 5_000 };

describe("a commit whose answer is lost", () => {
  it.each<CommitLoss>(["before", "after", "late"])(
    "[I3][RQ-1][PB-2] (%s it got through) is told truly: each operation took effect once, also those without a key",
    { timeout: faultMsMax },
    async (how) => {
      const proxy = await startPostgresProxy(await server.newDatabase());
      open.push(proxy);
      const here = newTrial(await openStore(proxy.url));
      const { workspace } = here;
      await here.store.commit([put(here, "first")]);
      proxy.loseCommit(how);
      const { outcomes, appended } = await here.store.commit([
        put(here, "second"),
        publish(here, { producer: newId() }, 1, [line("a"), line("b")]),
        { kind: "append", workspace, stream: "log/a", events: [{ event: "noted", data: 1 }] },
        { kind: "task", workspace, task: "contract.tell", input: { to: "agent", texts: ["x"] } },
      ]);
      expect(proxy.lost).toBe(1);
      expect(outcomes.map(codeOf)).toEqual(["ok", "ok", "ok", "ok"]);
      expect(appended.map(({ stream, offset, events }) => [stream, offset, events.length]).sort()).toEqual([
        ["inbox/agent", 1, 1],
        ["items", 2, 1],
        ["log/a", 1, 3],
      ]);
      expect(await readAll(here, "items")).toHaveLength(2);
      expect(await readAll(here, "log/a")).toHaveLength(3);
      expect(await readAll(here, "inbox/agent")).toHaveLength(1);
    },
  );
});

describe("a database that does not answer", () => {
  it("[AD-2] is given up within its deadline when it hangs, and taken again when it goes on", {
    timeout: faultMsMax,
  }, async () => {
    const here = newTrial(await openStore(await server.newDatabase()));
    await here.store.commit([put(here, "before")]);
    server.signal("SIGSTOP");
    const began = performance.now();
    try {
      const asked = [
        here.store.commit([put(here, "meanwhile")]),
        here.store.read(here.workspace, "items", 0, 10, 1_000),
        here.store.positions([{ workspace: here.workspace, stream: "items" }]),
        here.store.snapshot(here.workspace, "items"),
      ];
      const settled = await Promise.allSettled(asked);
      for (const one of settled) expect(one).toMatchObject({ status: "rejected", reason: unavailable });
    } finally {
      server.signal("SIGCONT");
    }
    expect(performance.now() - began).toBeLessThan(answerMsMax);
    await here.store.commit([put(here, "after")]);
    const values = (await readAll(here, "items")).map(({ data }) => (data as { value: string }).value);
    // What hung was never told to be done: it may be there, once.
    expect(values.filter((value) => value !== "meanwhile")).toEqual(["before", "after"]);
  });

  it("[AD-2] is refused at once when it is down, and the same connections come back after it", {
    timeout: faultMsMax,
  }, async () => {
    const here = newTrial(await openStore(await server.newDatabase()));
    const id = newId();
    await here.store.commit([put(here, "one", { id })]);
    const before = await here.store.position(here.workspace, "items");
    await server.kill();
    await expect(here.store.commit([put(here, "two")])).rejects.toMatchObject(unavailable);
    await expect(here.store.position(here.workspace, "items")).rejects.toMatchObject(unavailable);
    await server.start();
    expect(await here.store.position(here.workspace, "items")).toEqual(before);
    const { outcomes } = await here.store.commit([put(here, "one", { id }), put(here, "two")]);
    expect(outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    expect(await readAll(here, "items")).toHaveLength(2);
  });
});

it("[CL-9] a store is closed in time while its database hangs, with a commit and a read under way", {
  timeout: faultMsMax,
}, async () => {
  const here = newTrial(await openStore(await server.newDatabase()));
  await here.store.commit([put(here, "before")]);
  server.signal("SIGSTOP");
  open.push({ close: () => server.signal("SIGCONT") });
  const calls = [here.store.commit([put(here, "meanwhile")]), here.store.position(here.workspace, "items")];
  const settled = Promise.allSettled(calls);
  const began = performance.now();
  await here.store.close();
  expect(performance.now() - began).toBeLessThan(closeMsMax);
  expect((await settled).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(performance.now() - began).toBeLessThan(closeMsMax);
  server.signal("SIGCONT");
});

describe("a replica in the primary's place", () => {
  it("[AD-2][PB-3] takes no writes, which is the database's trouble and no operation's; promoted, it is the store again", {
    timeout: faultMsMax,
  }, async () => {
    const here = newTrial(await openStore(await server.newDatabase()));
    const batch = [put(here, "one"), publish(here, { producer: newId() }, 1, [line("a")])];
    await here.store.commit([put(here, "before")]);
    await server.kill();
    await server.startAsReplica();
    // Also where this fails: the others' databases are in it.
    open.push({ close: () => server.query("select pg_promote() where pg_is_in_recovery()") });
    const failure = await here.store.commit(batch).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "store_unavailable", cause: { name: "ConnectionLost" } });
    expect(isOutage(failure)).toBe(true);
    // What it has, it gives.
    expect(await readAll(here, "items")).toHaveLength(1);
    await server.query("select pg_promote()");
    expect((await here.store.commit(batch)).outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    expect(await readAll(here, "items")).toHaveLength(2);
  });
});

describe("several nodes on one database", () => {
  it("[RQ-1][PB-2][PB-5][ST-1] what is sent to all of them at once takes effect once, in one order", {
    timeout: faultMsMax,
  }, async () => {
    const url = await server.newDatabase();
    const stores = [await openStore(url), await openStore(url), await openStore(url)];
    const [first] = stores;
    if (first === undefined) throw new Error("no store");
    const here = newTrial(first);
    const producer = newId();
    const ids = Array.from({ length: 30 }, () => newId());
    const batches = ids.map((id, index) => [
      put(here, `${index}`, { id }),
      publish(here, { producer }, 1 + 2 * index, [line(`${2 * index}`), line(`${2 * index + 1}`)]),
      publish(here, { producer: newId(), stream: "log/claims" }, 1, [{ event: "claim", data: { command: "c" } }]),
    ]);
    const told = await Promise.all(
      stores.map(async (store) => {
        const answers: unknown[] = [];
        // A producer waits for its answer, so that no sequence is ahead of the record.
        for (const batch of batches) answers.push((await store.commit(batch)).outcomes[0]);
        return answers;
      }),
    );
    for (const answers of told) expect(answers).toEqual(told[0]);
    expect(await readAll(here, "items")).toHaveLength(ids.length);
    expect((await readAll(here, "log/a")).map(({ data }) => (data as { text: string }).text)).toEqual(
      Array.from({ length: 2 * ids.length }, (_value, index) => `${index}`),
    );
    expect(await readAll(here, "log/claims")).toHaveLength(1);
  });

  it("[ST-13] a reader on one node never sees a hole while others write", { timeout: faultMsMax }, async () => {
    const url = await server.newDatabase();
    const [writer, other, reader] = [await openStore(url), await openStore(url), await openStore(url)];
    const { workspace } = newTrial(reader);
    const streams = ["log/c", "log/a", "log/b"];
    const write = async (store: Store, names: readonly string[]): Promise<void> => {
      for (let round = 0; round < 40; round += 1)
        await store.commit(
          names.map((stream) => ({ kind: "append", workspace, stream, events: [{ event: "noted", data: round }] })),
        );
    };
    let isOver = false;
    const writing = Promise.all([write(writer, streams), write(other, [...streams].reverse())]).then(() => {
      isOver = true;
    });
    const cursors = new Map(streams.map((stream) => [stream, 0]));
    do {
      for (const [stream, cursor] of cursors) {
        const run = await reader.read(workspace, stream, cursor, 100, 100_000);
        expect(run.offset).toBe(cursor + 1);
        const spans = run.pieces.reduce((sum, { span }) => sum + span, 0);
        expect(JSON.stringify(run.pieces.map(({ bytes }) => new TextDecoder().decode(bytes)))).not.toContain("skipped");
        cursors.set(stream, cursor + spans);
      }
    } while (!isOver);
    await writing;
    for (const position of await reader.positions(streams.map((stream) => ({ workspace, stream }))))
      expect(position?.head).toBe(80);
  });
});

describe("a table of the store's own that may not be written", () => {
  it.each(["store_writers", "streams", "events", "producers", "requests"])(
    "[ST-8][I9][RQ-1] %s: nothing of a batch stands, who asked is told to send it again, and the log has why",
    { timeout: faultMsMax },
    async (table) => {
      const url = await server.newOwnedDatabase();
      const here = newTrial(await openStore(url));
      const batch = [put(here, "first"), publish(here, { producer: newId() }, 1, [line("a")])];
      const asOwner = url.replace(/\/\/[^@]+@/, "//holdfast@");
      const user = new URL(url).username;
      await server.query(`revoke insert, update on ${table} from ${user}`, asOwner);
      const { outcomes, faults, appended } = await here.store.commit(batch);
      const refused = outcomes.filter((outcome) => !outcome.ok);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.map(codeOf)).toEqual(refused.map(() => "internal"));
      expect(faults.map(({ error }) => (error as { code?: unknown }).code)).toEqual(refused.map(() => "42501"));
      const isTold = (outcome: (typeof outcomes)[number]): boolean => outcome.ok || outcome.error.retryable;
      expect(outcomes.every(isTold)).toBe(true);
      expect(appended.length).toBe(outcomes.length - refused.length);
      await server.query(`grant insert, update on ${table} to ${user}`, asOwner);
      expect((await here.store.commit(batch)).outcomes.map(codeOf)).toEqual(["ok", "ok"]);
      expect(await readAll(here, "items")).toHaveLength(1);
    },
  );
});

describe("what PostgreSQL's text cannot hold", () => {
  it("[F72] a handler that swallows a failed statement fails alone: the others' answers stay true", {
    timeout: faultMsMax,
  }, async () => {
    const here = newTrial(await openStore(await server.newDatabase()));
    const batch = [put(here, "a"), put(here, "b", { ending: "swallow" }), put(here, "c")];
    const { outcomes } = await here.store.commit(batch);
    expect(outcomes.map(codeOf)).toEqual(["ok", "internal", "ok"]);
    expect((await readAll(here, "items")).map(({ data }) => data)).toMatchObject([{ value: "a" }, { value: "c" }]);
  });

  it("[F72][PB-2] costs no other operation anything, and blocks no producer", { timeout: faultMsMax }, async () => {
    const here = newTrial(await openStore(await server.newDatabase()));
    const producer = newId();
    const { outcomes } = await here.store.commit([
      put(here, "before"),
      publish(here, { producer }, 1, [{ event: "line", data: 1, keyframe: "a\0b" }, line("a")]),
      put(here, "nul \0 and half a pair \ud800"),
      { kind: "append", workspace: here.workspace, stream: "log/b", events: [{ event: "e\0", data: 1 }] },
      put(here, "after"),
    ]);
    expect(outcomes.map(codeOf)).toEqual(["ok", "ok", "ok", "internal", "ok"]);
    expect(outcomes[1]).toMatchObject({ value: { sequence: 2, rejected: [{ sequence: 1 }] } });
    expect(await readAll(here, "items")).toHaveLength(3);
    expect(await readAll(here, "log/a")).toHaveLength(1);
  });
});
