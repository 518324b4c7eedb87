/** Anyone can try to break it: the page makes bad weather for its own link, and its ledger says what became of it. */
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { startHoldfast } from "../src/holdfast.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand, terminalLines } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";

const liveMsMax = 15_000;
/** Found out within 30 s, and back within some more. */
const halfOpenMsMax = 40_000;
/** Twenty seconds without a database, and a probe later. */
const awayMsMax = 45_000;
const lines = 120;

const open = visitors();

test("[I1] [AU-7] cut, slow, an expired sign-in, under output: back by itself, 0 lost, 0 repeated, 0 reordered", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `for i in $(seq 1 ${lines}); do echo line $i; sleep 0.05; done`);
  // Another tab makes it: both have one link.
  const maker = await context.newPage();
  await maker.goto(`${server.url}/weather`);
  await expectConnection(maker, "live", liveMsMax);
  const reconnects = async (): Promise<number> =>
    Number(await maker.locator('dt:has-text("Reconnects") + dd').textContent());
  const make = async (weather: string): Promise<void> => {
    await maker.getByTestId(`weather-${weather}`).click();
    await expect.poll(() => maker.getByTestId("weather-said").textContent()).not.toMatch(/^$|no connection/);
  };

  await make("cut");
  await expect.poll(reconnects, { timeout: liveMsMax }).toBe(1);
  await expectConnection(maker, "live", liveMsMax);
  await make("slow");
  await make("cut");
  await expect.poll(reconnects, { timeout: liveMsMax }).toBe(2);
  await expectConnection(page, "live", liveMsMax);
  // It is renewed over the socket: another connection for it would be one too many.
  const renewals = (): number => server.errors().split('"auth.session_extended"').length;
  const before = renewals();
  await make("expire");
  await expect.poll(renewals, { timeout: liveMsMax }).toBeGreaterThan(before);
  expect(await reconnects()).toBe(2);

  expect(await finishedOutcome(page)).toBe("completed");
  const shown = (await terminalLines(page)).filter((line) => /^line \d+$/.test(line));
  expect(shown).toEqual(Array.from({ length: lines }, (_, index) => `line ${index + 1}`));
  await page.getByTestId("connection-pill").click();
  await expect
    .poll(() => page.getByTestId("connection-ledger").textContent())
    .toMatch(/^complete to #\d+ · 0 lost · 0 repeated · 0 reordered$/);
  await page.getByText("Try to break it").click();
  expect(await page.getByTestId("ledger").getAttribute("data-sound")).toBe("true");
});

test("[I1] [LV-3] a half-open link is found out by both ends within 30 s: back by itself, 0 lost, 0 repeated", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page, context } = await open(server.url);
  await page.goto(server.url);
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `for i in $(seq 1 ${lines}); do echo line $i; sleep 0.05; done`);
  const maker = await context.newPage();
  await maker.goto(`${server.url}/weather`);
  await expectConnection(maker, "live", liveMsMax);
  await maker.getByTestId("weather-halfOpen").click();
  await expect.poll(() => maker.getByTestId("weather-said").textContent()).toContain("Half-open");
  const reconnects = maker.locator('dt:has-text("Reconnects") + dd');
  await expect.poll(() => reconnects.textContent(), { timeout: halfOpenMsMax }).toBe("1");
  await expectConnection(page, "live", liveMsMax);
  expect(await finishedOutcome(page)).toBe("completed");
  const shown = (await terminalLines(page)).filter((line) => /^line \d+$/.test(line));
  expect(shown).toEqual(Array.from({ length: lines }, (_, index) => `line ${index + 1}`));
  await expect.poll(() => maker.getByTestId("ledger").getAttribute("data-sound")).toBe("true");
});

test("[AD-2] [CL-9] in development mode the database is stopped and the server restarted from the page: all that was sent ran once", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page, context } = await open(server.url);
  await page.goto(server.url);
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `for i in $(seq 1 ${lines}); do echo line $i; sleep 0.05; done`);
  const maker = await context.newPage();
  await maker.goto(`${server.url}/weather`);
  await expectConnection(maker, "live", liveMsMax);
  // One server on SQLite has no bus to lose.
  expect(await maker.getByTestId("fault-busLost").count()).toBe(0);
  await maker.getByTestId("fault-restart").click();
  await expect
    .poll(() => maker.locator('dt:has-text("Reconnects") + dd').textContent(), { timeout: liveMsMax })
    .toBe("1");
  await expectConnection(maker, "live", liveMsMax);
  await maker.getByTestId("fault-storeAway").click();
  await expect.poll(() => maker.getByTestId("fault-said").textContent()).toBe("The database is away.");
  // While it is away: kept, and run once when it is back.
  await sendCommand(page, "echo while it was away");
  await expect
    .poll(async () => (await terminalLines(page)).filter((line) => line === "while it was away").length, {
      timeout: awayMsMax,
    })
    .toBe(1);
  const shown = (await terminalLines(page)).filter((line) => /^line \d+$/.test(line));
  expect(shown).toEqual(Array.from({ length: lines }, (_, index) => `line ${index + 1}`));
  await expect.poll(() => maker.getByTestId("ledger").getAttribute("data-sound")).toBe("true");
  await maker.goto(`${server.url}/audit`);
  await expect.poll(() => maker.getByTestId("audit-entry").count()).toBe(2);
  expect(server.errors()).toContain('"server.restarted"');
});
