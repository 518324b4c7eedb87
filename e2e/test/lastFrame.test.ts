/**
 * The last frame of a connection, cut behind each of its bytes, both ways: what the server told is there once with the next
 * connection, and what a client asked has happened once (F66). A real server and the package's own sessions, each with a
 * connection of its own that ends behind another byte.
 */
import { createSession, type Session } from "@holdfast/client";
import { createServer, type Server } from "@holdfast/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ByteCutter, startByteCutter } from "../src/byteCutter.ts";
import { newFolder } from "../src/holdfast.ts";
import { openPlainClient } from "../src/plainClient.ts";
import { waitFor } from "../src/waiting.ts";

const settleMsMax = 60_000;
const word = "the last word";

type Methods = { say: { params: { words: readonly string[] }; result: number } };
interface Client {
  readonly session: Session<Methods>;
  readonly cutter: ByteCutter;
  readonly words: string[];
}

let server: Server;
const clients: Client[] = [];

beforeAll(async () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const app = new URL("../src/tabs/app.ts", import.meta.url);
  server = await createServer({ app, data: newFolder(), mode: "development", log: silent });
});
afterAll(async () => {
  for (const { session, cutter } of clients) {
    await session.close();
    await cutter.close();
  }
  await server?.close();
});

/** `count` sessions that are live, each through a cutter of its own. */
async function openClients(count: number): Promise<readonly Client[]> {
  const opened: Client[] = [];
  for (let client = 0; client < count; client += 1) {
    const cutter = await startByteCutter(Number(new URL(server.url).port));
    const words: string[] = [];
    const session = createSession<Methods>({ clientName: "last-frame", url: cutter.url });
    session.subscribe("log", {
      from: "start",
      onEvents: (events) => void words.push(...events.map(({ data }) => String((data as { word: string }).word))),
    });
    opened.push({ session, cutter, words });
  }
  clients.push(...opened);
  await all(opened, ({ session }) => session.state.kind === "live", "live");
  return opened;
}

async function all(those: readonly Client[], holds: (client: Client, index: number) => boolean, what: string) {
  await waitFor(() => (those.every(holds) ? true : undefined), { msMax: settleMsMax, what });
}

async function append(said: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/say`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ words: [said] }),
  });
  expect(answer.status).toBe(200);
}

async function logged(): Promise<readonly string[]> {
  const client = await openPlainClient(server.url);
  const stream = await client.read("log");
  await waitFor(() => ((stream.events.at(-1)?.through ?? 0) >= stream.head ? true : undefined), {
    msMax: settleMsMax,
    what: "the whole log",
  });
  await client.close();
  return stream.events.map(({ data }) => String(data["word"]));
}

/** How long the frame is that carries one `word`, up and down. */
async function frameBytes(): Promise<{ up: number; down: number }> {
  const [client] = await openClients(1);
  if (client === undefined) throw new Error("no client");
  const before = { up: client.cutter.passed("up"), down: client.cutter.passed("down") };
  await append(word);
  await all([client], ({ words }) => words.length === 1, "the first word");
  const down = client.cutter.passed("down") - before.down;
  await client.session.call("say", { words: ["up 000"] });
  return { up: client.cutter.passed("up") - before.up, down };
}

test("[F66] [I1] [I2] cut behind each byte of its last frame: told once, and done once", async () => {
  const { up, down } = await frameBytes();
  expect(Math.min(up, down)).toBeGreaterThan(50);
  const before = (await logged()).length;

  const readers = await openClients(down + 1);
  for (const [bytes, { cutter }] of readers.entries()) cutter.arm("down", bytes);
  await append(word);
  await all(readers, ({ words }) => words.length >= before + 1, "the word that was cut off");
  // The last one's frame was whole; the connection ends with whatever comes next.
  expect(readers.filter(({ cutter }) => cutter.hasCut)).toHaveLength(down);

  const writers = readers.slice(0, Math.min(up, readers.length));
  const asked = writers.map(({ session, cutter }, bytes) => {
    cutter.arm("up", bytes);
    return session.call("say", { words: [`up ${String(bytes).padStart(3, "0")}`] });
  });
  expect(await Promise.all(asked)).toEqual(writers.map(() => 1));
  expect(writers.every(({ cutter }) => cutter.hasCut)).toBe(true);

  const log = await logged();
  expect(log.slice(before + 1).sort()).toEqual(writers.map((_, bytes) => `up ${String(bytes).padStart(3, "0")}`));
  await all(readers, ({ words }) => words.length >= log.length, "all of the log");
  for (const { words } of readers) expect(words).toEqual(log);
  process.stdout.write(`last frame: ${down} cuts of what is told, ${writers.length} of what is asked\n`);
});
