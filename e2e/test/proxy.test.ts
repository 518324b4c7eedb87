/** Behind a real nginx: idle for longer than it waits, without upgrade headers, with its buffers, with its server away. */
import { afterEach, describe, expect, test } from "vitest";
import { endAll, type Holdfast, startHoldfast } from "../src/holdfast.ts";
import { freePort, linesWith, type Nginx, shippedLines, startNginx } from "../src/nginx.ts";
import { commandShell, countTo, localUrlOf, numbersOf, openReader, type ShellReader } from "../src/shellReader.ts";
import { pause, waitFor } from "../src/waiting.ts";

const eventMsMax = 30_000;
/** LV-1: a client is silent no longer. */
const pingEveryMs = 20_000;
/** After five failures in a row a client waits 30 s ± 50 % (CL-3). */
const slowestMs = 45_000;

const readers: ShellReader[] = [];
afterEach(async () => {
  try {
    await Promise.all(readers.splice(0).map(({ session }) => session.close()));
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

function read(url: string, stream?: string): ShellReader {
  const reader = openReader(url, stream);
  readers.push(reader);
  return reader;
}

async function live({ session }: ShellReader, msMax = eventMsMax): Promise<void> {
  await waitFor(() => session.state.kind === "live" || undefined, { msMax, what: "the reader live" });
}

async function expectWhole(reader: ShellReader, last: number, msMax: number): Promise<void> {
  await waitFor(() => reader.output().includes(`n${last}\r`) || undefined, { msMax, what: `n${last} at the reader` });
  expect(reader.offsets).toEqual(reader.offsets.map((_, index) => index + 1));
  expect(numbersOf(reader)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
}

describe("behind nginx, by the lines that are shipped", () => {
  test("[LV-1] an idle limit above the ping's interval cuts nobody, however long nothing happens", async () => {
    const { url, nginx } = await startBehind(linesWith(/(proxy_(?:read|send)_timeout) 120s/g, "$1 22s"));
    const idle = [read(url), read(url, "fleet")];
    for (const reader of idle) await live(reader);
    await pause(2.2 * pingEveryMs);
    for (const { session, states } of idle) {
      expect(session.state.kind).toBe("live");
      expect(states.filter((state) => state === "waiting")).toEqual([]);
    }
    expect(nginx.passed().filter(({ path }) => path === "/ws")).toEqual([]);
  });

  test("[CL-3][I1][I4] an idle limit of 1 s cuts again and again: nothing is lost or repeated, and attempts are few", async () => {
    const { url, direct, nginx } = await startBehind(linesWith(/(proxy_(?:read|send)_timeout) 120s/g, "$1 1s"));
    const reader = read(url, await commandShell(direct, countTo(10, 2_500)));
    const began = performance.now();
    await expectWhole(reader, 10, slowestMs + 60_000);
    const attempts = nginx.passed().filter(({ path }) => path === "/ws");
    expect(attempts.length).toBeGreaterThanOrEqual(3);
    // One that lived a second resets no backoff: six, and then each 15 s at the soonest, after its second.
    const slow = (performance.now() - began) / 16_000;
    expect(attempts.length).toBeLessThanOrEqual(7 + slow);
    for (const [index, { begin }] of attempts.entries())
      if (index > 0) expect(begin - (attempts[index - 1]?.begin ?? 0)).toBeGreaterThan(0.95);
  });

  test("[CL-10] without upgrade headers no socket opens: HTTP is asked once, attempts are few, and all comes once they are there", async () => {
    const without = linesWith(/ {2}proxy_set_header (?:Upgrade|Connection) .*\n/g, "");
    const { url, direct, nginx } = await startBehind(without);
    const reader = read(url, await commandShell(direct, countTo(5, 100)));
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
    const reader = read(url, await commandShell(direct, countTo(8, 400)));
    await expectWhole(reader, 8, eventMsMax);
    // Held back, they would come together.
    const pauses = reader.times.slice(1).map((time, index) => time - (reader.times[index] ?? 0));
    expect(pauses.filter((ms) => ms > 200).length).toBeGreaterThanOrEqual(6);
  });

  test("[CL-9] the server is killed and started again behind it: its 502s are waited out, and nothing is lost or repeated", async () => {
    const { url, direct, server, nginx } = await startBehind();
    const reader = read(url, await commandShell(direct, countTo(20, 300)));
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
