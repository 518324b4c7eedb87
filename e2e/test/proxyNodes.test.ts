/** Two servers on one PostgreSQL behind one nginx, as `deploy/compose.yaml` has them: one dies, and its people are on the other. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../packages/server/test/support/postgresServer.ts";
import { endAll, startHoldfast } from "../src/holdfast.ts";
import { freePort, startNginx } from "../src/nginx.ts";
import { commandShell, countTo, localUrlOf, numbersOf, openReader, type ShellReader } from "../src/shellReader.ts";
import { waitFor } from "../src/waiting.ts";

const startMsMax = 60_000;
const eventMsMax = 30_000;
const readersCount = 8;
const last = 60;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);

const readers: ShellReader[] = [];
afterEach(async () => {
  try {
    await Promise.all(readers.splice(0).map(({ session }) => session.close()));
  } finally {
    await endAll();
  }
});

test("[I1][ST-14] in mid-output one of two is killed: each reader has every event once and in order, whichever it was on", async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const flags = ["--public-url", url, "--trust-proxies", "127.0.0.1", "--database-url", await postgres.newDatabase()];
  const stays = await startHoldfast({ mode: "development", flags });
  const dies = await startHoldfast({
    mode: "development",
    flags,
    environment: { HOLDFAST_AGENTS_SHELL: "false", HOLDFAST_AGENTS_DEMO: "false", HOLDFAST_AGENTS_ASSISTANTS: "false" },
  });
  const direct = localUrlOf(stays);
  const servers = [direct, localUrlOf(dies)].map((one) => Number(new URL(one).port));
  const nginx = await startNginx({ port, servers });

  const stream = await commandShell(direct, countTo(last, 200));
  for (let count = 0; count < readersCount; count += 1) readers.push(openReader(url, stream));
  await waitFor(() => readers.every((reader) => reader.output().includes("n5\r")) || undefined, {
    msMax: eventMsMax,
    what: "n5 at each reader",
  });
  await dies.kill();
  await waitFor(() => readers.every((reader) => reader.output().includes(`n${last}\r`)) || undefined, {
    msMax: 2 * eventMsMax,
    what: `n${last} at each reader`,
  });
  for (const reader of readers) {
    expect(reader.offsets).toEqual(reader.offsets.map((_, index) => index + 1));
    expect(numbersOf(reader)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  }
  // Some were on the one that died, and some were not.
  const moved = readers.filter(({ session }) => session.statistics.reconnects > 0).length;
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThan(readersCount);
  expect(nginx.passed().filter(({ path }) => path === "/ws").length).toBeLessThanOrEqual(3 * moved);
});
