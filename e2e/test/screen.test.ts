/**
 * From commit to the screen: a conversation in two tabs, with ten agents that write 50 events a second each beside it.
 *
 * `npm run proof:screen` tells it at its full length: 1,000 messages, half of a person, half of an assistant.
 */
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { startHoldfast } from "../src/holdfast.ts";
import { startModel } from "../src/modelEndpoint.ts";
import { openPlainClient } from "../src/plainClient.ts";
import { startBusyAgents } from "../src/screen/busyAgents.ts";
import { figuresOf, inWords } from "../src/screen/figures.ts";
import { probe, type Sightings } from "../src/screen/probe.ts";
import { readWire } from "../src/screen/wire.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const isWhole = process.env["SCREEN"] === "whole";
const exchanges = isWhole ? 500 : 30;
const everyMs = 100;
const agents = 10;
const eachMs = 20;
const readyMsMax = 60_000;
const shownMsMax = 30_000;

const open = visitors();

async function assistantOf(url: string, endpoint: string): Promise<string> {
  const person = await openPlainClient(url);
  await waitFor(async () => ((await person.call("assistant.list", {}))["canKeepKeys"] === true ? true : undefined), {
    msMax: readyMsMax,
    what: "the assistants' process",
  });
  await person.call("assistant.create", { name: "Kelp", endpoint, model: "m" });
  const id = await waitFor(
    async () => {
      const { items } = (await person.call("agent.list", {})) as unknown as {
        items: { id: string; name: string; status: string }[];
      };
      return items.find(({ name, status }) => name === "Kelp" && status === "online")?.id;
    },
    { msMax: readyMsMax, what: "the assistant online" },
  );
  await person.close();
  return id;
}

const sightings = (page: Page): Promise<Sightings> =>
  page.evaluate(() => {
    if (window.holdfastSightings === undefined) throw new Error("the probe does not run in this page");
    return window.holdfastSightings;
  });

test("from commit to the screen", async () => {
  const model = await startModel();
  onTestFinished(() => model.stop());
  const server = await startHoldfast({
    mode: "development",
    environment: {
      HOLDFAST_AGENTS_ASSISTANTS: "true",
      HOLDFAST_AGENTS_SHELL: "false",
      HOLDFAST_AGENTS_DEMO: "false",
    },
  });
  const assistant = await assistantOf(server.url, model.url);
  const busy = await startBusyAgents(server.url, agents, eachMs);
  const person = await openPlainClient(server.url);
  const { thread, command } = await person.call("command.send", { agent: assistant, text: "hello" });
  const wire = await readWire(server.url, String(thread));
  const { context, page } = await open(server.url);
  await context.addInitScript(probe);
  const pages = [page, await context.newPage()];
  for (const one of pages) {
    await one.goto(`${server.url}/threads/${String(thread)}`);
    await one.locator(`[data-command="${String(command)}"][data-state="finished"]`).waitFor();
  }
  const before = await busy.events();
  const began = performance.now();
  const last = { command: "" };
  for (let n = 1; n <= exchanges; n += 1) {
    const sent = await person.call("command.send", { thread, text: `m${n}` });
    last.command = String(sent["command"]);
    await pause(Math.max(0, began + n * everyMs - performance.now()));
  }
  const seconds = (performance.now() - began) / 1_000;
  await waitFor(() => (wire.ended.has(last.command) ? true : undefined), { msMax: readyMsMax, what: "the last answer" });
  const events = ((await busy.events()) - before) / ((performance.now() - began) / 1_000);
  const wanted = Array.from({ length: exchanges }, (_, index) => [`q${index + 1}`, `r${index + 1}`]).flat();
  process.stdout.write(`screen: ${exchanges} in ${seconds.toFixed(1)} s; ${Math.round(events)} events/s\n`);
  for (const [index, one] of pages.entries()) {
    const seen = await waitFor(
      async () => {
        const now = await sightings(one);
        return Object.keys(now.shown).length >= wanted.length ? now : undefined;
      },
      { msMax: shownMsMax, what: "all messages shown" },
    );
    for (const kind of ["q", "r"]) {
      const keys = wanted.filter((key) => key.startsWith(kind));
      const from = (start: (key: string) => number | undefined, end: (key: string) => number | undefined): string =>
        inWords(figuresOf(keys.flatMap((key) => {
          const [a, b] = [start(key), end(key)];
          return a === undefined || b === undefined ? [] : [b - a];
        })));
      const at = (key: string) => wire.at.get(key);
      process.stdout.write(`tab ${index + 1} ${kind}: shown ${from(at, (key) => seen.shown[key])}
    wire ${from(at, (key) => wire.heard.get(key))}
    wire→tab ${from((key) => wire.heard.get(key), (key) => seen.arrived[key])}
    tab→dom ${from((key) => seen.arrived[key], (key) => seen.shown[key])}
    dom→frame ${from((key) => seen.shown[key], (key) => seen.drawn[key])}\n`);
    }
    process.stdout.write(`long tasks ${inWords(figuresOf(seen.longTasks.filter(({at}) => at > 0).map(({ ms }) => ms)))}\n`);
    expect(seen.doubled).toEqual([]);
    expect(seen.disordered).toEqual([]);
  }
});
