/** The whole line by a plain WebSocket, and how the product starts, refuses and stops. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { endAll, type Holdfast, newFolder, runHoldfast, startHoldfast } from "../src/holdfast.ts";
import { openPlainClient, type PlainClient, type PlainStream, UpgradeRefused } from "../src/plainClient.ts";
import { waitFor } from "../src/waiting.ts";

const eventMsMax = 30_000;
const secondStartMsMax = 3_000;

afterEach(endAll);

interface Agent {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
}

/** The shell agent, as `fleet` shows it: from its snapshot and then its events. */
async function onlineShell(client: PlainClient): Promise<Agent> {
  const find = (): Agent | undefined => {
    const known = new Map<string, Agent>();
    for (const message of client.messages) {
      if (message["stream"] !== "fleet") continue;
      if (message.type === "snapshot") {
        for (const agent of (message["data"] as { agents: Agent[] }).agents) known.set(agent.id, agent);
      }
      if (message.type !== "events") continue;
      for (const { data } of message["events"] as { data: { agent?: Agent } }[]) {
        if (data.agent !== undefined) known.set(data.agent.id, data.agent);
      }
    }
    return [...known.values()].find(({ kind, status }) => kind === "shell" && status === "online");
  };
  return await waitFor(find, { msMax: eventMsMax, what: "the shell agent online in `fleet`" });
}

function outputOf(stream: PlainStream): string {
  return stream.events
    .filter(({ event }) => event === "terminal.output")
    .map(({ data }) => Buffer.from(data["data"] as string, "base64").toString())
    .join("");
}

function finishedOf(stream: PlainStream, command: unknown): readonly Readonly<Record<string, unknown>>[] {
  return stream.events
    .filter(({ event, data }) => event === "command.finished" && data["command"] === command)
    .map(({ data }) => data);
}

async function sendAndFinish(
  client: PlainClient,
  agent: Agent,
  text: string,
): Promise<{ thread: string; command: unknown }> {
  const { thread, command } = await client.call("command.send", { agent: agent.id, text });
  const stream = await client.read(`thread/${thread}`);
  await waitFor(() => finishedOf(stream, command)[0], { msMax: eventMsMax, what: "command.finished" });
  return { thread: String(thread), command };
}

describe("the line, spoken plainly", () => {
  test("fleet → command.send → 42 → one completed; the same again after SIGKILL and restart", async () => {
    const data = newFolder();
    const first = await startHoldfast({ mode: "development", data });
    const client = await openPlainClient(first.url, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
    const welcome = await client.message(({ type }) => type === "welcome", "welcome");
    expect(welcome["user"]).toMatchObject({ role: "admin", temporary: true });
    const agent = await onlineShell(client);
    const { thread, command } = await sendAndFinish(client, agent, "echo $((6*7))");
    const before = client.streams.get(`thread/${thread}`) as PlainStream;
    expect(outputOf(before).split(/\r?\n/)).toContain("42");
    expect(finishedOf(before, command)).toMatchObject([{ outcome: "completed", exitCode: 0 }]);
    await first.kill();

    const second = await startHoldfast({ mode: "development", data });
    const again = await openPlainClient(second.url, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
    const after = await again.read(`thread/${thread}`);
    await waitFor(() => (after.events.length >= before.events.length ? true : undefined), {
      msMax: eventMsMax,
      what: "the stream again from its start",
    });
    expect(after.epoch).toBe(before.epoch);
    expect(after.events.slice(0, before.events.length)).toEqual(before.events);
    // The same agent, adopted, obeys the new server.
    expect((await onlineShell(again)).id).toBe(agent.id);
    const more = await sendAndFinish(again, agent, "echo once more");
    expect(outputOf(again.streams.get(`thread/${more.thread}`) as PlainStream)).toContain("once more");
    expect(finishedOf(after, command)).toHaveLength(1);
    await again.close();
    expect(await second.stop("SIGTERM")).toMatchObject({ code: 0, signal: null });
  });

  test("the second start on a folder is ready within 3 s", async () => {
    const data = newFolder();
    const first = await startHoldfast({ mode: "development", data });
    await first.stop("SIGTERM");
    const second = await startHoldfast({ mode: "development", data });
    process.stdout.write(`second start: ready after ${Math.round(second.readyMs)} ms\n`);
    expect(second.readyMs).toBeLessThan(secondStartMsMax);
  });
});

describe("the door", () => {
  /** The status of an upgrade that must not succeed. */
  async function refusal(server: Holdfast, headers: Readonly<Record<string, string>>): Promise<number> {
    try {
      await openPlainClient(server.url, { headers, silent: true });
    } catch (error) {
      if (error instanceof UpgradeRefused) return error.status;
      throw error;
    }
    throw new Error(`the upgrade with ${JSON.stringify(headers)} was accepted`);
  }

  test("[AU-5] a foreign Origin or Host is refused with 403, in every mode", async () => {
    for (const mode of ["development", "local"] as const) {
      const server = await startHoldfast({ mode });
      expect(await refusal(server, { Origin: "http://evil.example" }), mode).toBe(403);
      expect(await refusal(server, { Origin: "null" }), mode).toBe(403);
      expect(await refusal(server, { Host: "evil.example" }), mode).toBe(403);
      expect(await refusal(server, { Host: `evil.example:${server.port}` }), mode).toBe(403);
      await server.stop("SIGTERM");
    }
  });

  test("[AU-2] in local mode nobody gets in without a credential: bye, then 4401", async () => {
    const server = await startHoldfast({ mode: "local" });
    const client = await openPlainClient(server.url);
    const bye = await client.message(({ type }) => type === "bye", "bye");
    expect(bye["code"]).toBe(4401);
    expect(await waitFor(client.closed, { msMax: eventMsMax, what: "the close" })).toMatchObject({ code: 4401 });
    expect(client.messages.map(({ type }) => type)).not.toContain("welcome");
  });
});

describe("starting and stopping", () => {
  /** One sentence, which names `value`, on standard error; nothing else there but npm's own words. */
  function expectRefusal(ended: Awaited<ReturnType<typeof runHoldfast>>, value: string): void {
    expect(ended).toMatchObject({ code: 2 });
    const lines = ended.errors.split("\n").filter((line) => line !== "" && !/^npm (warn|error|notice)/i.test(line));
    expect(lines, ended.errors).toHaveLength(1);
    expect(lines[0]).toContain(value);
    expect(lines[0]).toMatch(/\.$/);
    expect(ended.output).not.toMatch(/^ready/m);
  }

  test.each([
    [["--colour", "red"], "--colour"],
    [["--port", "seventy"], "seventy"],
    [["--port", "70000"], "70000"],
    [["--mode", "production"], "production"],
    [["--host", "0.0.0.0"], "0.0.0.0"],
    [["--host", "example.org"], "example.org"],
  ])("a wrong flag or value is one sentence and exit 2: %j", async (flags, value) => {
    expectRefusal(await runHoldfast(["--data", newFolder(), ...flags]), value);
  });

  test("a busy port is one sentence and exit 2", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const { port } = other.address() as { port: number };
    try {
      expectRefusal(await runHoldfast(["--data", newFolder(), "--port", String(port)]), String(port));
    } finally {
      other.close();
    }
  });

  test("a locked data folder is one sentence and exit 2, and the first server lives on", async () => {
    const server = await startHoldfast({ mode: "development" });
    expectRefusal(await runHoldfast(["--mode", "development", "--port", "0", "--data", server.data]), server.data);
    const client = await openPlainClient(server.url);
    await client.message(({ type }) => type === "welcome", "welcome");
    await client.close();
  });

  test("an unwritable data folder is one sentence and exit 2", async () => {
    const folder = newFolder();
    // Root may write anywhere: a file in the folder's place stops root too.
    const isRoot = process.getuid?.() === 0;
    const data = join(folder, "data");
    if (isRoot) writeFileSync(data, "");
    else {
      mkdirSync(data);
      chmodSync(data, 0o500);
    }
    expectRefusal(await runHoldfast(["--port", "0", "--data", data]), data);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s stops everything, exit 0", async (signal) => {
    const server = await startHoldfast({ mode: "development" });
    const client = await openPlainClient(server.url, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
    await onlineShell(client);
    expect(await server.stop(signal)).toMatchObject({ code: 0, signal: null });
    // CL-9: told before it is cut.
    expect(await waitFor(client.closed, { msMax: eventMsMax, what: "the close" })).toMatchObject({ code: 1012 });
    expect(client.messages.findLast(({ type }) => type === "bye")).toMatchObject({ code: 1012 });
  });
});
