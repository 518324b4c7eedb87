/** A page on PostgreSQL while a command prints: the database is killed in mid-output, and comes back. */
import { hostname } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../packages/server/test/support/postgresServer.ts";
import { startHoldfast } from "../src/holdfast.ts";
import { watchLines } from "../src/linesProbe.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand, terminalLines } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const startMsMax = 60_000;
const storyMsMax = 200_000;
const shownMsMax = 90_000;
const lineCount = 3_000;
const killedAtLines = 300;
/** Long enough for the breaker to open and probe (AD-2). */
const downMs = 6_000;

/** About 6 s of output. */
const command = 'for b in $(seq 0 59); do seq -f "line %05.0f" $((b*50+1)) $((b*50+50)); sleep 0.1; done';
const expected = Array.from({ length: lineCount }, (_, index) => `line ${String(index + 1).padStart(5, "0")}`);

let postgres: PostgresServer;
const open = visitors();

beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(async () => {
  await postgres?.end();
}, startMsMax);

test(
  "[I5][AD-2] every line is there once and in order, on the same socket's page, and the command completes",
  async () => {
    const server = await startHoldfast({
      mode: "development",
      flags: ["--database-url", await postgres.newDatabase()],
    });
    const opened = await open(server.url);
    const { page } = opened;
    const probe = await watchLines(opened.context);
    let sockets = 0;
    page.on("websocket", () => {
      sockets += 1;
    });
    await page.goto(server.url);
    await (await onlineAgent(page, hostname())).click();
    await page.getByTestId("composer-input").waitFor();
    await sendCommand(page, command);
    await waitFor(() => (probe.lines() >= killedAtLines ? true : undefined), { msMax: shownMsMax, what: "some lines" });
    const socketsBefore = sockets;
    await postgres.kill();
    expect(probe.lines()).toBeLessThan(lineCount);
    await pause(downMs);
    await postgres.start();
    expect(await finishedOutcome(page, shownMsMax)).toBe("completed");
    const shown = await waitFor(
      async () => {
        const lines = (await terminalLines(page)).filter((line) => /^line \d{5}$/.test(line));
        return lines.length >= lineCount ? lines : undefined;
      },
      { msMax: shownMsMax, what: `${lineCount} lines on the page` },
    );
    const wrong = shown.findIndex((line, index) => line !== expected[index]);
    expect(wrong === -1 ? "in order" : `${shown[wrong]} as line ${wrong + 1}`).toBe("in order");
    expect(shown).toHaveLength(lineCount);
    await expectConnection(page, "live", shownMsMax);
    expect(sockets).toBe(socketsBefore);
  },
  storyMsMax,
);
