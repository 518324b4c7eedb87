/**
 * Raised once, cleared once, to the log and to a webhook.
 *
 * Seen red: with an alert raised at each look, with no clearing, with a judge that throws ending the watch, with a
 * teller that throws ending it, with an alert cleared as soon as it is not wrong, or while nobody could look, with a
 * webhook that gives up at the first failure or never, that follows redirects, and that keeps everything.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { Alert } from "../../src/observe/alertRules.ts";
import { type AlertNotice, calmMs, judgeMs, startAlerts } from "../../src/observe/alerts.ts";
import { createWebhook, type Webhook } from "../../src/observe/webhook.ts";
import { createSimClock } from "../support/simClock.ts";

/** A busy machine's loopback takes its time. */
const patienceMs = 10_000;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const storm: Alert = { id: "storm", sentence: "Each client opened 3 connections." };
const down: Alert = { id: "store_down", sentence: "The database does not answer." };

function watch() {
  const clock = createSimClock(0);
  const lines: string[] = [];
  const notices: AlertNotice[] = [];
  const world = { alerts: [] as readonly Alert[], failing: false };
  const say = (event: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push(`${event} ${fields?.["alert"]}`);
  const stop = startAlerts({
    clock,
    log: { debug: say, info: say, warn: say, error: say },
    judge: () => {
      if (world.failing) throw new Error("as asked");
      return world.alerts;
    },
    notify: (notice) => void notices.push(notice),
  });
  return { clock, lines, notices, world, stop };
}

it("raises once and clears once, however long it lasts and how its sentence changes", async () => {
  const { clock, lines, notices, world, stop } = watch();
  await clock.advance(judgeMs * 3);
  world.alerts = [storm];
  await clock.advance(judgeMs);
  world.alerts = [down, { ...storm, sentence: "Each client opened 4 connections." }];
  await clock.advance(judgeMs * 50);
  world.alerts = [down];
  await clock.advance(calmMs);
  world.alerts = [storm];
  await clock.advance(calmMs);
  expect(lines).toEqual([
    "alert.raised storm",
    "alert.raised store_down",
    "alert.cleared storm",
    "alert.raised storm",
    "alert.cleared store_down",
  ]);
  expect(notices.map(({ kind, alert }) => `${kind} ${alert}`)).toHaveLength(5);
  stop();
  expect(clock.timers).toBe(0);
});

it("a monitor that fails itself is an alert, and goes on when it can", async () => {
  const { clock, lines, notices, world } = watch();
  world.failing = true;
  await clock.advance(judgeMs * 3);
  world.failing = false;
  await clock.advance(calmMs);
  expect(lines).toEqual(["alert.raised monitor", "alert.cleared monitor"]);
  expect(notices[0]?.sentence).toBe("What watches this server fails itself: as asked");
});

it("a monitor that fails clears nothing of what it no longer looks at", async () => {
  const { clock, lines, world } = watch();
  world.alerts = [down];
  await clock.advance(judgeMs);
  world.failing = true;
  await clock.advance(calmMs * 3);
  expect(lines).toEqual(["alert.raised store_down", "alert.raised monitor"]);
  world.failing = false;
  await clock.advance(calmMs);
  expect(lines).toEqual(["alert.raised store_down", "alert.raised monitor", "alert.cleared monitor"]);
  world.alerts = [];
  await clock.advance(calmMs);
  expect(lines.at(-1)).toBe("alert.cleared store_down");
});

it("[F80] what comes and goes around its limit is one alert", async () => {
  const { clock, lines, world } = watch();
  for (let turn = 0; turn < 20; turn += 1) {
    world.alerts = turn % 3 === 0 ? [storm] : [];
    await clock.advance(judgeMs);
  }
  expect(lines).toEqual(["alert.raised storm"]);
});

it("[F80] telling that fails ends no watch, and is an alert itself", async () => {
  const { clock, lines, notices, world } = watch();
  notices.push = () => {
    Object.assign(notices, { push: Array.prototype.push });
    throw new Error("nobody listens");
  };
  world.alerts = [storm];
  await clock.advance(judgeMs * 2);
  expect(lines).toEqual(["alert.raised storm", "alert.raised monitor"]);
  expect(notices.map(({ sentence }) => sentence)).toEqual(["What watches this server fails itself: nobody listens"]);
});

const notice: AlertNotice = { kind: "raised", alert: "storm", sentence: "s", since: 1 };

async function hook(answer: (request: number) => number | "hang") {
  const bodies: unknown[] = [];
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(String(request.url));
    const status = answer(paths.length);
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    request.on("end", () => {
      if (text !== "") bodies.push(JSON.parse(text));
      if (status !== "hang") response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const clock = createSimClock(0);
  const lines: unknown[] = [];
  const say = (event: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push([event, fields?.["tries"]]);
  const webhook: Webhook = createWebhook({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    server: "https://fleet.example.com",
    clock,
    log: { debug: say, info: say, warn: say, error: say },
  });
  ends.push(
    () => webhook.stop(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  /** Time goes on as soon as the webhook waits for it. */
  const pass = async (enough: () => boolean): Promise<void> => {
    await expect
      .poll(
        async () => {
          await clock.advance(10_000);
          return enough();
        },
        { timeout: patienceMs },
      )
      .toBe(true);
  };
  return { webhook, bodies, paths, lines, pass };
}

it("posts each notice as JSON, in order, and again where it was not taken", async () => {
  const { webhook, bodies, lines, pass } = await hook((request) => (request <= 2 ? 500 : 204));
  webhook.send(notice);
  webhook.send({ ...notice, kind: "cleared" });
  await pass(() => bodies.length === 4);
  expect(bodies.map((body) => (body as AlertNotice).kind)).toEqual(["raised", "raised", "raised", "cleared"]);
  expect(bodies[3]).toEqual({ ...notice, kind: "cleared", server: "https://fleet.example.com" });
  expect(lines).toEqual([]);
});

it("follows no redirect, gives up after five tries, and says so", async () => {
  const { webhook, paths, lines, pass } = await hook(() => 302);
  webhook.send(notice);
  await pass(() => lines.length === 1);
  expect(lines).toEqual([["alert.not_delivered", 5]]);
  expect(paths).toEqual(Array.from({ length: 5 }, () => "/hook"));
});

it("keeps twenty at most while nobody answers: the oldest go, and the log says which", async () => {
  const { webhook, lines } = await hook(() => "hang");
  for (let index = 0; index < 30; index += 1) webhook.send(notice);
  expect(lines).toEqual(Array.from({ length: 9 }, () => ["alert.not_delivered", 0]));
});
