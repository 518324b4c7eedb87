/**
 * Somebody else's app: the examples in a real browser, while others keep writing. The link is cut, the page
 * reloaded, the server killed, the link goes dead without a word, the tab closed: nothing is lost, nothing is
 * there twice, and the page has one socket.
 */
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { launchBrowser, type Visit, visit } from "../src/browser.ts";
import { type Connection, type Example, startExample } from "../src/example.ts";
import { endAll } from "../src/holdfast.ts";
import { openPlainClient, type PlainEvent } from "../src/plainClient.ts";
import { type Proxy as FaultyLink, startProxy } from "../src/proxy.ts";
import { makeRandom, seed } from "../src/story.ts";
import { pause, waitFor } from "../src/waiting.ts";
import { type Act, startWriters, type Writers } from "../src/writers.ts";

const liveMsMax = 30_000;
const settleMsMax = 30_000;
/** LV-1: a silent link is found dead after interval and timeout, 30 s, and some for a busy machine. */
const deadLinkMsMax = 50_000;
const deadLinkSaidAfterMs = 12_000;
/** So much at least was written behind the page's back. */
const deadLinkEventsMin = 50;
const cutMsMin = 1_000;
const cutMsMax = 3_000;
const quietMsMax = 2_000;
const fadeMsMax = 20_000;

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  try {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  } finally {
    await endAll();
  }
});

/** What differs between the two examples, in words of their pages and their logs. */
interface App {
  readonly name: "board" | "chat";
  readonly stream: string;
  /** Whoever opens a socket says a name as token. */
  readonly signsIn: boolean;
  readonly act: Act;
  /** A person does something on the page that leaves `text` in the log. */
  readonly say: (page: Page, text: string) => Promise<void>;
  /** The texts that the log says were said, each as often as it stands there. */
  readonly saidIn: (events: readonly PlainEvent[]) => readonly string[];
  /** What the page must show, from the log alone. */
  readonly folded: (events: readonly PlainEvent[]) => readonly string[];
  readonly shown: (page: Page) => Promise<readonly string[]>;
}

interface World {
  readonly app: App;
  example: Example;
  readonly proxy: FaultyLink;
  readonly writers: Writers;
  readonly visit: Visit;
  /** Texts that a person said on the page. */
  readonly said: string[];
  readonly random: () => number;
  /** When two sockets of a page are no fault: ms since 1970. */
  readonly overlaps: { readonly from: number; readonly to: number }[];
  /** What was seen of the processes that are gone. */
  readonly connections: Connection[];
  readonly faults: string[];
  events: number;
}

async function open(app: App): Promise<World> {
  const random = makeRandom(`example ${app.name}`);
  const example = await startExample(app.name);
  const proxy = await startProxy(example.port);
  cleanUps.push(() => proxy.close());
  const { signsIn, act } = app;
  const writers = startWriters({ names: ["wim", "wes"], url: example.url, signsIn, act, random });
  cleanUps.push(() => writers.close());
  const browser = await launchBrowser(undefined, proxy.port);
  cleanUps.push(() => browser.close());
  const visited = await visit(browser, example.url);
  cleanUps.push(() => visited.close());
  await visited.context.addInitScript(() => sessionStorage.setItem("name", "pia"));
  await visited.page.goto(example.url);
  const told = { said: [], overlaps: [], connections: [], faults: [], events: 0 };
  const world: World = { app, example, proxy, writers, visit: visited, random, ...told };
  await settle(world, "the first look");
  return world;
}

const stateOf = (page: Page): Promise<string | null> => page.locator("main").getAttribute("data-connection");

async function expectState(world: World, isIt: (state: string | null) => boolean, msMax: number, what: string) {
  const { page } = world.visit;
  await waitFor(async () => (isIt(await stateOf(page)) ? true : undefined), { msMax, what });
}
const expectLost = (world: World, msMax: number, why: string): Promise<void> =>
  expectState(
    world,
    (state) => state !== "live" && state !== "catchingUp",
    msMax,
    `the page without connection (${why})`,
  );

async function say(world: World, text: string): Promise<void> {
  await world.app.say(world.visit.page, text);
  world.said.push(text);
}

/** Somewhere between: the faults fall where they fall. */
const moment = (world: World): Promise<void> => pause(world.random() * quietMsMax);

/** Stills the writers; then page and log are one, everything that was done stands there once, and there is one socket. */
async function settle(world: World, after: string): Promise<void> {
  const { app, example, writers, said } = world;
  const { page } = world.visit;
  await expectState(world, (state) => state === "live", liveMsMax, `the page live after ${after}`);
  await waitFor(async () => ((await page.locator("main").getAttribute("aria-busy")) === "false" ? true : undefined), {
    msMax: settleMsMax,
    what: `every request of the page answered after ${after}`,
  });
  await writers.pause();
  const events = await readLog(world);
  const wanted = app.folded(events);
  let shown: readonly string[] = [];
  await waitFor(
    async () => {
      shown = await app.shown(page);
      return shown.length >= wanted.length && shown.at(-1) === wanted.at(-1) ? true : undefined;
    },
    { msMax: settleMsMax, what: `the page at the log's head after ${after}` },
  ).catch(() => undefined);
  expect(shown, `the page after ${after}`).toEqual(wanted);
  const counts = Map.groupBy(app.saidIn(events), (text) => text);
  for (const text of [...writers.done, ...said])
    expect([text, counts.get(text)?.length], `in the log after ${after}`).toEqual([text, 1]);
  expect(counts.size, `texts in the log after ${after}`).toBe(writers.done.length + said.length);
  expect(writers.refused).toEqual([]);
  const openNow = example.connections().filter(({ client, closedAt }) => client === app.name && closedAt === undefined);
  await waitFor(() => (openOf(world).length === 1 ? true : undefined), {
    msMax: settleMsMax,
    what: `one socket of the page after ${after}, not ${openNow.length}`,
  });
  expect(world.visit.pageErrors).toEqual([]);
  world.events = events.length;
  writers.resume();
}

function openOf({ app, example }: World): readonly Connection[] {
  return example.connections().filter(({ client, closedAt }) => client === app.name && closedAt === undefined);
}

async function readLog({ app, example }: World): Promise<readonly PlainEvent[]> {
  const client = await openPlainClient(
    example.url,
    app.signsIn ? { headers: { authorization: "Bearer auditor" } } : {},
  );
  await client.message(({ type }) => type === "welcome", "welcome");
  const stream = await client.read(app.stream);
  await waitFor(() => ((stream.events.at(-1)?.offset ?? 0) >= stream.head ? true : undefined), {
    msMax: settleMsMax,
    what: `the log of ${app.stream} to its head`,
  });
  await client.close();
  expect(stream.events.map(({ offset }) => offset)).toEqual(stream.events.map((_, index) => index + 1));
  return stream.events;
}

async function cut(world: World): Promise<void> {
  const { proxy, random } = world;
  await moment(world);
  const before = proxy.counters.connectionsCut;
  proxy.cut();
  expect(proxy.counters.connectionsCut).toBeGreaterThan(before);
  await say(world, "said while the link was cut");
  await expectLost(world, liveMsMax, "cut");
  await pause(cutMsMin + random() * (cutMsMax - cutMsMin));
  proxy.heal();
  await settle(world, "the cut");
}

async function reload(world: World): Promise<void> {
  await moment(world);
  const { page } = world.visit;
  const from = Date.now();
  const opened = world.example.connections().length;
  await page.reload();
  await settle(world, "the reload");
  world.overlaps.push({ from, to: Date.now() });
  expect(world.example.connections().length).toBeGreaterThan(opened);
}

async function killServer(world: World): Promise<void> {
  await moment(world);
  await world.example.kill();
  remember(world);
  await say(world, "said while there was no server");
  await expectLost(world, liveMsMax, "killed server");
  world.example = await world.example.again();
  await settle(world, "the server's death");
}

async function deadLink(world: World): Promise<void> {
  await moment(world);
  const { proxy } = world;
  const from = Date.now();
  const before = world.events;
  proxy.blackhole();
  // RQ-3: what was sent is given up after 30 s, which is as long as it takes to find a silent link dead (LV-1).
  await pause(deadLinkSaidAfterMs);
  await say(world, "said into the dead link");
  await expectLost(world, deadLinkMsMax, "dead link");
  expect(proxy.counters.bytesSwallowed).toBeGreaterThan(0);
  proxy.heal();
  await settle(world, "the dead link");
  // The old one is ended by the proxy, and heard of by the server, a moment after the new one.
  world.overlaps.push({ from, to: Date.now() });
  expect(world.events - before).toBeGreaterThan(deadLinkEventsMin);
}

async function closeTab(world: World): Promise<void> {
  const { page } = world.visit;
  await page.close();
  await waitFor(() => (openOf(world).length === 0 ? true : undefined), {
    msMax: settleMsMax,
    what: "no socket of a closed tab",
  });
}

function remember(world: World): void {
  const { example, app } = world;
  world.connections.push(...example.connections().filter(({ client }) => client === app.name));
  world.faults.push(...example.faults());
}

/** Connections of the page that were open at once with the one before, outside of the moments when that is no fault. */
function overlapping({ connections, overlaps }: World): readonly Connection[] {
  return connections.filter(({ openedAt }, index) => {
    const before = connections[index - 1];
    if (before === undefined || overlaps.some(({ from, to }) => from <= openedAt && openedAt <= to)) return false;
    return before.closedAt !== undefined && before.closedAt > openedAt;
  });
}

async function tell(app: App): Promise<void> {
  const startedAt = performance.now();
  const world = await open(app);
  for (const fault of [cut, reload, killServer, deadLink]) await fault(world);
  await closeTab(world);
  remember(world);
  expect(overlapping(world)).toEqual([]);
  expect(world.faults).toEqual([]);
  const { counters } = world.proxy;
  process.stdout.write(
    `example ${app.name}: ${world.events} events, each once and in order, through cut (${counters.connectionsCut} connections), ` +
      `reload, SIGKILL, dead link (${counters.bytesSwallowed} bytes swallowed) and a closed tab; ` +
      `${world.writers.done.length} by others, ${world.said.length} by the page, ${world.connections.length} sockets one after the other; ` +
      `${Math.round((performance.now() - startedAt) / 1_000)} s, E2E_SEED=${seed}\n`,
  );
}

interface CardData {
  readonly id: string;
  readonly title?: string;
  readonly stage?: string;
  readonly rank?: number;
}

const stages = ["todo", "doing", "done"];

/** The board's log, folded in a way of its own: a table by id. */
function foldBoard(events: readonly PlainEvent[]): readonly string[] {
  const cards: CardData[] = [];
  for (const { event, data } of events) {
    const change = data as unknown as CardData;
    const at = cards.findIndex(({ id }) => id === change.id);
    if (event === "added") cards.push(change);
    else if (event === "deleted") cards.splice(at, 1);
    else cards[at] = { ...cards[at], ...change };
  }
  cards.sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || (a.id < b.id ? -1 : 1));
  return stages.flatMap((stage) =>
    cards.filter((card) => card.stage === stage).map(({ title }) => `${stage}: ${title}`),
  );
}

test("[F01][CL-6] the board: cut, reload, killed server, dead link, closed tab", async () => {
  await tell({
    name: "board",
    stream: "board",
    signsIn: false,
    async act(session, text, random) {
      const stage = stages[Math.floor(random() * stages.length)];
      const { id } = (await session.call("card.add", { title: text, stage, rank: random() })) as CardData;
      const next = random();
      if (next < 0.3) await session.call("card.change", { id, stage: "done", rank: random() });
      else if (next < 0.5) await session.call("card.change", { id, title: `${text}, renamed` });
      else if (next < 0.8) await session.call("card.delete", { id });
    },
    async say(page, text) {
      await page.getByPlaceholder("New in doing").fill(text);
      await page.getByPlaceholder("New in doing").press("Enter");
    },
    saidIn: (events) => events.flatMap(({ event, data }) => (event === "added" ? [String(data["title"])] : [])),
    folded: foldBoard,
    shown: (page) =>
      page
        .locator("article")
        .evaluateAll((cards) =>
          cards.map(
            (card) => `${card.closest("section")?.getAttribute("aria-label")}: ${card.querySelector("input")?.value}`,
          ),
        ),
  });
});

test("[F01][CL-6] the chat: cut, reload, killed server, dead link, closed tab", async () => {
  await tell({
    name: "chat",
    stream: "room",
    signsIn: true,
    act: async (session, text) => {
      await session.call("message.send", { text });
    },
    async say(page, text) {
      await page.getByLabel("Message").fill(text);
      await page.getByLabel("Message").press("Enter");
    },
    saidIn: (events) => events.map(({ data }) => String(data["text"])),
    folded: (events) => events.map(({ data }) => `${data["name"]}: ${data["text"]}`),
    shown: (page) => page.locator("li").allTextContents(),
  });
});

test("[ST-17] the chat: names, who is here, who is typing, and how both fade", async () => {
  const example = await startExample("chat");
  const browser = await launchBrowser();
  cleanUps.push(() => browser.close());
  const enter = async (name: string): Promise<Visit> => {
    const visited = await visit(browser, example.url);
    cleanUps.push(() => visited.close());
    await visited.page.goto(example.url);
    await visited.page.getByLabel("Your name").fill(name);
    await visited.page.getByLabel("Your name").press("Enter");
    await visited.page.locator('main[data-connection="live"]').waitFor();
    return visited;
  };
  const [ada, bob] = [await enter("Ada Ångström"), await enter("Bob")];
  const here = bob.page.getByLabel("Here");
  const typing = bob.page.getByLabel("Typing");
  await here.filter({ hasText: "you, Ada Ångström" }).waitFor();
  await ada.page.getByLabel("Here").filter({ hasText: "you, Bob" }).waitFor();
  expect(await typing.textContent()).toBe("");
  await ada.page.getByLabel("Message").fill("hello");
  await typing.filter({ hasText: "Ada Ångström" }).waitFor({ state: "attached" });
  await ada.page.getByLabel("Message").press("Enter");
  await bob.page.locator("li").filter({ hasText: "Ada Ångström: hello" }).waitFor();
  await waitFor(async () => ((await typing.textContent()) === "" ? true : undefined), {
    msMax: fadeMsMax,
    what: "no more typing",
  });
  await ada.page.close();
  await waitFor(async () => ((await here.textContent()) === "you" ? true : undefined), {
    msMax: fadeMsMax,
    what: "Bob alone",
  });
});
