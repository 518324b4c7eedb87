/** Behind a real nginx: over TLS in a browser, idle for longer than it waits, without upgrades, buffering, and two servers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSession, type Session } from "@holdfast/client";
import { afterEach, describe, expect, test } from "vitest";
import { endAll, type Holdfast, startHoldfast } from "../src/holdfast.ts";
import { freePort, linesWith, type Nginx, shippedLines, startNginx } from "../src/nginx.ts";
import { openPlainClient, type PlainClient } from "../src/plainClient.ts";
import { pause, waitFor } from "../src/waiting.ts";

const eventMsMax = 30_000;
/** LV-1: a client is silent no longer. */
const pingEveryMs = 20_000;
/** After five failures in a row a client waits 30 s ± 50 % (CL-3). */
const slowestMs = 45_000;

const sessions: Session[] = [];
afterEach(async () => {
  try {
    await Promise.all(sessions.splice(0).map((session) => session.close()));
  } finally {
    await endAll();
  }
});

interface Behind {
  /** Under which people come, and so the reader. */
  readonly url: string;
  /** Straight to the server. */
  readonly direct: string;
  readonly server: Holdfast;
  readonly nginx: Nginx;
}

/** One server, and nginx before it, in the clear on loopback. */
async function startBehind(lines?: string): Promise<Behind> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const flags = ["--public-url", url, "--trust-proxies", "127.0.0.1"];
  const server = await startHoldfast({ mode: "development", flags });
  const direct = localUrlOf(server);
  const servers = [Number(new URL(direct).port)];
  return { url, direct, server, nginx: await startNginx({ port, servers, ...(lines === undefined ? {} : { lines }) }) };
}

function localUrlOf({ data }: Holdfast): string {
  return (JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string }).url;
}

interface Reader {
  readonly session: Session;
  /** Of each event applied, its offset. */
  readonly offsets: readonly number[];
  /** What the terminal said so far. */
  output(): string;
  /** When each event was applied, ms. */
  readonly times: readonly number[];
  /** Kinds of the session's states, one after the other. */
  readonly states: readonly string[];
}

/** The product's own client, through the proxy. */
function openReader(url: string, stream?: string): Reader {
  const session = createSession({ url: `${url.replace(/^http/, "ws")}/ws`, clientName: "reader" });
  sessions.push(session);
  const [offsets, times, states]: [number[], number[], string[]] = [[], [], []];
  let output = "";
  session.onChange(() => {
    if (states.at(-1) !== session.state.kind) states.push(session.state.kind);
  });
  if (stream !== undefined)
    session.subscribe(stream, {
      from: "start",
      onEvents: (events) => {
        for (const { offset, through, event, data } of events) {
          for (let at = offset; at <= through; at += 1) offsets.push(at);
          times.push(performance.now());
          if (event === "terminal.output") output += Buffer.from((data as { data: string }).data, "base64").toString();
        }
      },
    });
  return { session, offsets, times, states, output: () => output };
}

async function live({ session }: Reader, msMax = eventMsMax): Promise<void> {
  await waitFor(() => session.state.kind === "live" || undefined, { msMax, what: "the reader live" });
}

/** Somebody who commands the shell, past the proxy. */
async function openWriter(direct: string): Promise<{ command(text: string): Promise<string>; client: PlainClient }> {
  const client = await openPlainClient(direct, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
  const shell = await waitFor(
    () => {
      const told = client.messages.flatMap((message): readonly { id: string; kind: string }[] => {
        if (message.type === "snapshot") return (message["data"] as { agents: { id: string; kind: string }[] }).agents;
        if (message.type !== "events") return [];
        const events = message["events"] as { data: { agent?: { id: string; kind: string } } }[];
        return events.flatMap(({ data }) => data.agent ?? []);
      });
      return told.find(({ kind }) => kind === "shell");
    },
    { msMax: eventMsMax, what: "the shell in the fleet" },
  );
  return {
    client,
    command: async (text) => `thread/${(await client.call("command.send", { agent: shell.id, text }))["thread"]}`,
  };
}

/** Numbers from 1, one each `everyMs`. */
const countTo = (last: number, everyMs: number): string =>
  `for i in $(seq ${last}); do echo "n$i"; sleep ${everyMs / 1000}; done`;

async function expectWhole(reader: Reader, last: number, msMax: number): Promise<void> {
  await waitFor(() => reader.output().includes(`n${last}\r`) || undefined, { msMax, what: `n${last} at the reader` });
  expect(reader.offsets).toEqual(reader.offsets.map((_, index) => index + 1));
  const numbers = [...reader.output().matchAll(/^n(\d+)\r?$/gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: last }, (_, index) => index + 1));
}

describe("behind nginx, by the lines that are shipped", () => {
  test("[LV-1] an idle limit above the ping's interval cuts nobody, however long nothing happens", async () => {
    const { url, nginx } = await startBehind(linesWith(/(proxy_(?:read|send)_timeout) 120s/g, "$1 22s"));
    const readers = [openReader(url), openReader(url, "fleet")];
    for (const reader of readers) await live(reader);
    await pause(2.2 * pingEveryMs);
    for (const { session, states } of readers) {
      expect(session.state.kind).toBe("live");
      expect(states.filter((state) => state === "waiting")).toEqual([]);
    }
    expect(nginx.passed().filter(({ path }) => path === "/ws")).toEqual([]);
  });

  test("[CL-3][I1][I4] an idle limit of 1 s cuts again and again: nothing is lost or repeated, and attempts are few", async () => {
    const { url, direct, nginx } = await startBehind(linesWith(/(proxy_(?:read|send)_timeout) 120s/g, "$1 1s"));
    const writer = await openWriter(direct);
    const reader = openReader(url, await writer.command(countTo(10, 2_500)));
    await expectWhole(reader, 10, slowestMs + 60_000);
    const attempts = nginx.passed().filter(({ path }) => path === "/ws");
    expect(attempts.length).toBeGreaterThanOrEqual(3);
    // One that lived a second resets no backoff.
    expect(attempts.length).toBeLessThanOrEqual(12);
    for (const [index, { begin }] of attempts.entries())
      if (index > 0) expect(begin - (attempts[index - 1]?.begin ?? 0)).toBeGreaterThan(0.95);
  });

  test("[CL-10] without upgrade headers no socket opens: HTTP is asked once, attempts are few, and all comes once they are there", async () => {
    const without = linesWith(/ {2}proxy_set_header (?:Upgrade|Connection) .*\n/g, "");
    const { url, direct, nginx } = await startBehind(without);
    const writer = await openWriter(direct);
    const reader = openReader(url, await writer.command(countTo(5, 100)));
    const asked = (): number => nginx.passed().filter(({ path }) => path === "/api/session").length;
    await waitFor(() => asked() > 0 || undefined, { msMax: eventMsMax, what: "the question over HTTP" });
    const upgrades = nginx.passed().filter(({ path }) => path === "/ws");
    // 426: the server says what the address is for.
    expect(new Set(upgrades.map(({ status }) => status))).toEqual(new Set([426]));
    expect(upgrades.length).toBeLessThanOrEqual(4);
    await nginx.configure(shippedLines);
    await live(reader, slowestMs + eventMsMax);
    await expectWhole(reader, 5, eventMsMax);
    expect(asked()).toBe(1);
    expect(nginx.passed().filter(({ path }) => path === "/ws").length).toBeLessThanOrEqual(7);
  });

  test("with nginx's buffers on, as they are by default, each event comes when it is committed", async () => {
    const { url, direct } = await startBehind();
    const writer = await openWriter(direct);
    const reader = openReader(url, await writer.command(countTo(8, 400)));
    await expectWhole(reader, 8, eventMsMax);
    // Held back, they would come together.
    const pauses = reader.times.slice(1).map((time, index) => time - (reader.times[index] ?? 0));
    expect(pauses.filter((ms) => ms > 200).length).toBeGreaterThanOrEqual(6);
  });

  test("[CL-9] the server is killed and started again behind it: its 502s are waited out, and nothing is lost or repeated", async () => {
    const { url, direct, server, nginx } = await startBehind();
    const writer = await openWriter(direct);
    const reader = openReader(url, await writer.command(countTo(20, 300)));
    await waitFor(() => reader.output().includes("n5\r") || undefined, { msMax: eventMsMax, what: "n5" });
    await server.kill();
    await waitFor(() => nginx.passed().some(({ status }) => status === 502) || undefined, {
      msMax: eventMsMax,
      what: "an answer 502",
    });
    await startHoldfast({
      mode: "development",
      data: server.data,
      port: Number(new URL(direct).port),
      flags: ["--public-url", url, "--trust-proxies", "127.0.0.1"],
    });
    await expectWhole(reader, 20, slowestMs + eventMsMax);
  });
});
