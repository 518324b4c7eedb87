/** Two thousand clients over real sockets, after the server before was killed: the worst second is the budget. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server } from "../src/index.ts";

const app = new URL("./support/notesApp.ts", import.meta.url);
const clientsCount = 2_000;
const openingsPerSecond = 250;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

interface Arrival {
  /** Attempts that were refused, by code. */
  readonly refusals: Map<number, number>;
}

/** A client as CL-3 and CL-4 want it: back after `retryAfter`, with its slot, its starts at least a second apart. */
function comeUntilWelcomed(url: string, arrival: Arrival, sockets: Set<WebSocket>): Promise<void> {
  const instance = randomUUID();
  let slot: string | undefined;
  let attempt = 0;
  return new Promise((resolve) => {
    const open = (): void => {
      attempt += 1;
      const began = performance.now();
      const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, "holdfast.v1");
      sockets.add(socket);
      let retryAfter: number | undefined;
      let welcomed = false;
      socket.on("open", () => {
        const client = { name: "test", version: "1" };
        const hello = { type: "hello", protocol: 1, instance, attempt, client, visible: true, slot };
        socket.send(JSON.stringify([hello]));
      });
      socket.on("message", (data) => {
        for (const message of JSON.parse(String(data)) as { type: string; retryAfter?: number; slot?: string }[]) {
          if (message.type === "welcome") {
            welcomed = true;
            resolve();
          }
          if (message.type === "bye") {
            retryAfter = message.retryAfter;
            slot = message.slot;
          }
        }
      });
      socket.on("error", () => {});
      socket.on("close", (code) => {
        sockets.delete(socket);
        if (welcomed) return;
        arrival.refusals.set(code, (arrival.refusals.get(code) ?? 0) + 1);
        const pauseMs = Math.max(retryAfter ?? 1_000 * Math.random(), 1_000 - (performance.now() - began));
        setTimeout(open, pauseMs);
      });
    };
    open();
  });
}

/** The most in any second. */
function worstSecond(times: readonly number[]): number {
  const sorted = [...times].sort((left, right) => left - right);
  let worst = 0;
  let first = 0;
  for (const [index, time] of sorted.entries()) {
    while ((sorted[first] ?? time) <= time - 1_000) first += 1;
    worst = Math.max(worst, index - first + 1);
  }
  return worst;
}

it("[AD-3][CL-4][F16] 2,000 clients that arrive at once come in at the budget, each by its slot", async () => {
  const data = await mkdtemp(join(tmpdir(), "holdfast-arrival-"));
  cleanUp.push(() => rm(data, { recursive: true }));
  const lines: string[] = [];
  /** When the server began each opening. */
  const begunAt: number[] = [];
  const write = (event: string): void => void lines.push(event);
  const server: Server = await createServer({
    app,
    data,
    log: { debug: () => {}, info: write, warn: write, error: write },
    authenticate: () => {
      begunAt.push(performance.now());
      return { id: randomUUID() };
    },
    admission: {
      openingsPerSecond,
      // All come from this machine's one address.
      socketsWithoutHelloPerAddressMax: 2_000,
    },
  });
  cleanUp.push(() => server.close());
  const sockets = new Set<WebSocket>();
  cleanUp.push(async () => {
    for (const socket of sockets) socket.terminate();
  });
  const arrival: Arrival = { refusals: new Map() };
  const began = performance.now();
  await Promise.all(Array.from({ length: clientsCount }, () => comeUntilWelcomed(server.url, arrival, sockets)));
  const tookMs = performance.now() - began;

  const worst = worstSecond(begunAt);
  const refused = [...arrival.refusals].map(([code, count]) => `${code}: ${count}`).join(", ");
  console.log(`arrival: ${clientsCount} in ${Math.round(tookMs)} ms, worst second ${worst}, refused ${refused}`);
  expect(begunAt).toHaveLength(clientsCount);
  // One more, since the two clocks are read at different moments.
  expect(worst).toBeLessThanOrEqual(openingsPerSecond + 1);
  expect(tookMs).toBeLessThan((clientsCount / openingsPerSecond) * 1_000 + 20_000);
  expect([...arrival.refusals.keys()]).toEqual([4503]);
  // About one refusal each: who comes in its slot is let in.
  expect(arrival.refusals.get(4503)).toBeLessThan(clientsCount * 1.2);
  // The log grows with problems, not with clients (I9).
  expect(lines.length).toBeLessThan(150);
}, 60_000);
