/**
 * A client that obeys loses and repeats nothing, whatever the network and the server's life do: 200 cuts at bytes
 * that were drawn, in both directions, and two SIGKILLs of the server, while all read and write.
 *
 * The client is `ws` and docs/PROTOCOL.md, no package of ours. Limits that would slow 200 losses a minute down are
 * raised; the client's own waits are short. `OBEYING_SEED` draws the same run again.
 */
import { afterEach, describe, expect, test } from "vitest";
import { openPlainClient } from "../src/plainClient.ts";
import { startCutter } from "../src/proof/cutter.ts";
import { createObeyingClient, type ObeyingClient } from "../src/proof/obeying/client.ts";
import { addCounters } from "../src/proof/obeying/counters.ts";
import { startProofServer } from "../src/proof/server.ts";
import { type Applied, judgeReading, judgeWriting, sum } from "../src/proof/verdict.ts";
import { createDraw } from "../src/random.ts";
import { pause, waitFor } from "../src/waiting.ts";

const cutsWanted = 200;
const killsAfterCuts = [67, 134];
const clientsCount = 6;
/** In the place of limits that would slow 200 losses a minute down. */
const raised = 100_000;
const bytesPerConnectionMax = 24_000;
/** Each client writes about so often. */
const writesApartMsMax = 30;
/** About 15 s on a machine that does nothing else. */
const cutsMsMax = 120_000;
const healMsMax = 30_000;
const answerMsMax = 15_000;

const cleanUps: (() => PromiseLike<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const names = Array.from({ length: clientsCount }, (_, index) => `client-${index + 1}`);
const streams = ["notes", ...names.map((name) => `log/${name}`)];

/** Streams of a family exist from their first event. */
async function makeStreams(url: string): Promise<void> {
  const peer = await openPlainClient(url, { hello: { token: "maker" } });
  await peer.message(({ type }) => type === "welcome", "welcome");
  for (const stream of streams.slice(1)) {
    const events = [{ event: "said", data: { text: "first" } }];
    peer.send({ type: "publish", stream, producer: crypto.randomUUID(), sequence: 1, events });
    await peer.message((one) => one.type === "published" && one["stream"] === stream, "its first event");
  }
  await peer.call("note.add", { text: "first" });
  await peer.close();
}

/** Every stream, and the rows that the requests made, read by somebody who was never cut. */
async function readTruth(
  url: string,
): Promise<{ logs: ReadonlyMap<string, readonly Applied[]>; rows: readonly string[] }> {
  const peer = await openPlainClient(url, { hello: { token: "auditor" } });
  const logs = new Map<string, readonly Applied[]>();
  for (const stream of streams) {
    const log = await peer.read(stream);
    await waitFor(() => (log.events.length > 0 && log.events.length >= log.head ? true : undefined), {
      msMax: answerMsMax,
      what: `all of ${stream}`,
    });
    logs.set(
      stream,
      log.events.map(({ offset, data }) => ({ offset, text: String(data["text"]) })),
    );
  }
  const { items } = await peer.call("note.list", {});
  await peer.close();
  return { logs, rows: (items as readonly { text: string }[]).map(({ text }) => text) };
}

describe("a client that obeys", () => {
  test("[I1] [I2] [I3] [F68] [F69] loses and repeats nothing across 200 cuts and two kills of the server", async () => {
    const seed = Number(process.env["OBEYING_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    process.stdout.write(`obeying: seed ${seed}\n`);
    const draw = createDraw(seed);
    const server = await startProofServer({
      limits: { messagesPerSecond: raised, messagesBurst: raised },
      admission: { openingsPerPrincipalBurst: raised, openingsPerAddressBurst: raised },
    });
    cleanUps.push(() => server[Symbol.asyncDispose]());
    await makeStreams(server.url);
    const cutter = await startCutter({ target: () => server.port, draw, bytesMax: bytesPerConnectionMax });
    cleanUps.push(() => cutter.close());
    const clients = names.map((name) =>
      createObeyingClient({
        name,
        streams,
        port: cutter.port,
        host: () => `127.0.0.1:${server.port}`,
        draw: createDraw(seed ^ (names.indexOf(name) + 1)),
      }),
    );
    cleanUps.push(() => {
      for (const client of clients) client.close();
    });

    const startedAt = performance.now();
    let kills = 0;
    for (let round = 1; cutter.cutsInAll() < cutsWanted; round += 1) {
      for (const client of clients) {
        client.write(`${client.name} note ${round}`);
        client.publish(`${client.name} event ${round}`);
      }
      await pause(draw() * writesApartMsMax);
      if (cutter.cutsInAll() >= (killsAfterCuts[kills] ?? Number.POSITIVE_INFINITY)) {
        kills += 1;
        await server.killAndRestart();
      }
      const ms = performance.now() - startedAt;
      if (ms > cutsMsMax) throw new Error(`only ${cutter.cutsInAll()} cuts within ${cutsMsMax} ms (seed ${seed})`);
    }
    const cutMs = performance.now() - startedAt;
    cutter.heal();
    await waitFor(() => (clients.every((client) => client.isSettled()) ? true : undefined), {
      msMax: healMsMax,
      what: `all settled after the cuts ended (seed ${seed}; stopped: ${clients.map(({ stopped }) => stopped).join(", ")})`,
    });

    const { logs, rows } = await readTruth(server.url);
    const readings = clients.flatMap(({ applied }) =>
      streams.map((stream) => judgeReading(logs.get(stream) ?? [], applied.get(stream) ?? [])),
    );
    const notes = (logs.get("notes") ?? []).map(({ text }) => text);
    const ofClient = (all: readonly string[], { name }: ObeyingClient): readonly string[] =>
      all.filter((text) => text.startsWith(`${name} `));
    const writings = clients.flatMap((client) => {
      const issued = [...client.outcomes.keys()];
      const said = (logs.get(`log/${client.name}`) ?? []).slice(1).map(({ text }) => text);
      return [
        judgeWriting(ofClient(notes, client), issued),
        judgeWriting(ofClient(rows, client), issued),
        judgeWriting(said, client.published),
      ];
    });
    const counters = addCounters(clients.map((client) => client.counters));
    const deliveries = clients.reduce(
      (count, { applied }) => count + [...applied.values()].reduce((all, one) => all + one.length, 0),
      0,
    );
    const requests = clients.flatMap(({ outcomes }) => [...outcomes.values()]);
    process.stdout.write(
      `obeying: ${JSON.stringify({
        seconds: Math.round(cutMs / 1_000),
        cuts: cutter.cuts,
        kills,
        deliveries,
        requests: requests.length,
        published: clients.reduce((count, { published }) => count + published.length, 0),
        ...counters,
        reading: sum(readings),
        writing: sum(writings),
      })}\n`,
    );
    expect(kills).toBe(killsAfterCuts.length);
    expect(clients.map(({ stopped }) => stopped)).toEqual(clients.map(() => undefined));
    expect(requests.filter((outcome) => outcome !== "done")).toEqual([]);
    expect(sum(readings)).toEqual({ lost: 0, repeated: 0, reordered: 0, phantom: 0 });
    expect(sum(writings)).toEqual({ lost: 0, repeated: 0, reordered: 0, phantom: 0 });
    expect(counters.resets).toBe(0);
    // What was repeated on the way was really repeated: else nothing of this was tried.
    expect(Math.min(counters.requestsResent, counters.eventsResent, counters.welcomes / 100)).toBeGreaterThan(0);
    for (const count of Object.values(cutter.cuts)) expect(count).toBeGreaterThan(0);
  });
});
