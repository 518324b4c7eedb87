/** `holdfast doctor` where the server's database is down: the server is reached, and that is said. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../../server/test/support/postgresServer.ts";
import { exitCodes } from "../../src/commandLine/exitCodes.ts";
import { examine, startServer } from "../support/doctor.ts";

const startMsMax = 60_000;
let database: PostgresServer;
beforeAll(async () => {
  database = await startPostgres();
}, startMsMax);
afterAll(async () => {
  await database.end();
}, startMsMax);

it("[AD-2][OP-4] a store that is down is told with its beginning, and the way is walked on to where it is felt", {
  timeout: startMsMax,
}, async () => {
  const server = await startServer({ store: { url: await database.newDatabase() } });
  await database.kill();
  // Of a store that nobody asks nobody knows.
  const question = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  await vi.waitUntil(
    async () => {
      await fetch(`${server.url}/api/note.list`, question);
      return "degraded" in ((await (await fetch(`${server.url}/healthz`)).json()) as object);
    },
    { timeout: startMsMax, interval: 100 },
  );
  const { code, lines, last } = await examine(server.url, "--stream", "notes");
  expect(lines[2]).toMatch(
    /^http +wrong +Holdfast's server "1\.2\.3", mode "development", store "postgres\w*": its store is down since 20\d\d-.*; bring the database .*store\.unavailable/,
  );
  expect(lines.slice(3, 5).map((line) => line.slice(0, 13))).toEqual(["upgrade    ok", "hello      ok"]);
  expect(last).toMatch(/^subscribe +wrong +"notes" waits: .*the store cannot be read/);
  expect(code).toBe(exitCodes.failed);
});
