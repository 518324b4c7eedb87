/** Through a pooler that gives each transaction another connection: all but the notices holds, and nothing is asked of a session. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { codeOf, contractApp, newTrial, put, readAll } from "../store/contract/implementation.ts";
import { type PostgresServer, startPostgres } from "../support/postgresServer.ts";
import { startTransactionPooler } from "../support/transactionPooler.ts";

const startMsMax = 60_000;
const testMsMax = 60_000;
/** Fewer than one node has: transactions must wait for each other's connections. */
const connections = 3;

let server: PostgresServer;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  server = await startPostgres();
}, startMsMax);
afterAll(() => server.end(), startMsMax);
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
}, startMsMax);

async function openStore(url: string, name: string): Promise<Store> {
  const store = await openPostgresStore({
    url,
    plugins: [contractApp],
    clock: platformClock,
    random: platformRandom,
    name,
  });
  open.push(store);
  return store;
}

it("[RQ-1][ST-1][ST-13] two nodes behind one on fewer connections than they have: in one order, once, and none waits for ever", {
  timeout: testMsMax,
}, async () => {
  const pooler = await startTransactionPooler(await server.newOwnedDatabase(), connections);
  open.push(pooler);
  const stores = [await openStore(pooler.url, "a"), await openStore(pooler.url, "b")];
  const [first] = stores;
  if (first === undefined) throw new Error("no store");
  const here = newTrial(first);
  const rounds = 12;
  const answers = await Promise.all(
    stores.map(async (store, node) => {
      const codes: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const { outcomes } = await store.commit([put(here, `${node}-${round}`), put(here, `${node}-${round}-more`)]);
        codes.push(...outcomes.map(codeOf));
        await Promise.all([readAll({ ...here, store }, "items"), store.position(here.workspace, "items")]);
      }
      return codes;
    }),
  );
  expect(new Set(answers.flat())).toEqual(new Set(["ok"]));
  expect(await readAll(here, "items")).toHaveLength(2 * 2 * rounds);
  expect(pooler.transactions).toBeGreaterThan(4 * rounds);
});
