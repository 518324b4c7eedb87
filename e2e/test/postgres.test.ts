/** The whole line on PostgreSQL: one server, killed and started again; then two, an agent on one and a person on the other. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../packages/server/test/support/postgresServer.ts";
import { endAll, type Holdfast, newFolder, startHoldfast } from "../src/holdfast.ts";
import { openPlainClient, type PlainClient, type PlainStream } from "../src/plainClient.ts";
import { waitFor } from "../src/waiting.ts";

const startMsMax = 60_000;
const eventMsMax = 30_000;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);
afterEach(endAll);

interface Agent {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
}

/** A person in development mode, who watches the fleet. */
async function openPerson({ url }: Holdfast): Promise<PlainClient> {
  return await openPlainClient(url, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
}

/** The shell agents that are online, as the fleet's snapshot and its events say. */
function shellsOf(client: PlainClient): readonly Agent[] {
  const known = new Map<string, Agent>();
  for (const message of client.messages) {
    if (message["stream"] !== "fleet") continue;
    if (message.type === "snapshot")
      for (const agent of (message["data"] as { agents: Agent[] }).agents) known.set(agent.id, agent);
    if (message.type !== "events") continue;
    for (const { data } of message["events"] as { data: { agent?: Agent } }[])
      if (data.agent !== undefined) known.set(data.agent.id, data.agent);
  }
  return [...known.values()].filter(({ kind, status }) => kind === "shell" && status === "online");
}

async function shellOnline(client: PlainClient): Promise<Agent> {
  return await waitFor(() => shellsOf(client)[0], { msMax: eventMsMax, what: "the shell agent online in `fleet`" });
}

async function commandThrough(
  client: PlainClient,
  agent: Agent,
  text: string,
): Promise<{ readonly name: string; readonly stream: PlainStream }> {
  const { thread, command } = await client.call("command.send", { agent: agent.id, text });
  const name = `thread/${thread}`;
  const stream = await client.read(name);
  const ends = () =>
    stream.events.filter(({ event, data }) => event === "command.finished" && data["command"] === command);
  await waitFor(() => ends()[0], { msMax: eventMsMax, what: "command.finished" });
  expect(ends().map(({ data }) => data)).toMatchObject([{ outcome: "completed", exitCode: 0 }]);
  return { name, stream };
}

function outputOf(stream: PlainStream): string {
  return stream.events
    .filter(({ event }) => event === "terminal.output")
    .map(({ data }) => Buffer.from(data["data"] as string, "base64").toString())
    .join("");
}

describe("on PostgreSQL", () => {
  test("fleet → command → its output and one end; the same is there after SIGKILL and another start", async () => {
    const flags = ["--database-url", await postgres.newDatabase()];
    const data = newFolder();
    const first = await startHoldfast({ mode: "development", data, flags });
    expect(await (await fetch(`${first.url}/healthz`)).json()).toMatchObject({ store: "postgres" });
    const person = await openPerson(first);
    const { name, stream: before } = await commandThrough(person, await shellOnline(person), "echo $((6*7))");
    expect(outputOf(before).split(/\r?\n/)).toContain("42");
    await first.kill();

    const second = await startHoldfast({ mode: "development", data, flags });
    const again = await openPerson(second);
    const after = await again.read(name);
    await waitFor(() => (after.events.length >= before.events.length ? true : undefined), {
      msMax: eventMsMax,
      what: "the thread's events",
    });
    expect(after.epoch).toBe(before.epoch);
    expect(outputOf(after)).toBe(outputOf(before));
    const { stream: next } = await commandThrough(again, await shellOnline(again), "echo $((7*7))");
    expect(outputOf(next)).toContain("49");
  });

  test("[ST-14] two servers: the agent on one, the person on the other; the other one dies, and the person goes on at the first", async () => {
    const url = await postgres.newDatabase();
    const flags = ["--database-url", url];
    const withAgent = await startHoldfast({ mode: "development", flags });
    const person = await openPerson(withAgent);
    const agent = await shellOnline(person);
    const data = newFolder();
    const other = await startHoldfast({ mode: "development", data, flags });
    const far = await openPerson(other);
    await waitFor(() => shellsOf(far).find(({ id }) => id === agent.id), {
      msMax: eventMsMax,
      what: "the agent, seen from the other",
    });
    const { name, stream } = await commandThrough(far, agent, "echo $((6*7))");
    expect(outputOf(stream).split(/\r?\n/)).toContain("42");
    await other.kill();
    const same = await person.read(name);
    await waitFor(() => (outputOf(same) === outputOf(stream) ? true : undefined), {
      msMax: eventMsMax,
      what: "the output",
    });
    const { stream: next } = await commandThrough(person, agent, "echo $((7*7))");
    expect(outputOf(next)).toContain("49");
    // Its agents outlived it, and come back with it.
    const back = await startHoldfast({ mode: "development", data, flags });
    const there = await openPerson(back);
    await waitFor(() => (shellsOf(there).length === 2 ? true : undefined), { msMax: eventMsMax, what: "both shells" });
  });
});
