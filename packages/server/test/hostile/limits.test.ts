/** Peers that ask for more than they take, or hold what they do not use: bounded memory, others unharmed (security F4–F6, AD-5). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../support/principals.ts";
import { createNeighbour, type Neighbour, neighbourMsMax, opened } from "./support/opened.ts";
import { messagesFrame, textFrame } from "./support/rawFrame.ts";
import { type RawPeer, type Said, upgraded } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

const mebibyte = 1024 * 1024;
/** What one deaf or greedy peer may cost, with all that a collection does not give back at once. */
const growthBytesMax = 50 * mebibyte;

let victim: Victim;
let neighbour: Neighbour;
beforeAll(async () => {
  victim = await startVictim();
  neighbour = await createNeighbour(victim.port);
});
afterAll(async () => {
  await neighbour[Symbol.asyncDispose]();
  await victim.assertWhole();
  await victim[Symbol.asyncDispose]();
});

/** How much the server's memory grew meanwhile, in bytes; the neighbour must have been served. */
async function growthOf(attack: () => Promise<void>): Promise<number> {
  await neighbour.settle();
  const before = await victim.status();
  await attack();
  expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  return (await victim.status()).rssBytes - before.rssBytes;
}

const request = (method: string, params: object, extras: object = {}): object => ({
  type: "request",
  id: newId(),
  method,
  params,
  ...extras,
});
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("[security F6] a peer that does not read", () => {
  it("[AD-5] 5,000 requests for 200 KB each, in one frame", async () => {
    const deaf = await opened(victim.port);
    deaf.socket.pause();
    const growth = await growthOf(async () => {
      deaf.send(...Array.from({ length: 5_000 }, () => request("answer.large", { bytes: 200_000 })));
      await pause(3_000);
    });
    deaf.reset();
    expect(growth).toBeLessThan(growthBytesMax);
  });

  it("[ST-11] 400 snapshots of 500 KB each, asked for in its hello", async () => {
    const subscribe = Array.from({ length: 400 }, (_, sub) => ({ stream: `large/${sub}`, sub, from: "latest" }));
    const deaf = await opened(victim.port, { subscribe });
    deaf.socket.pause();
    const growth = await growthOf(() => pause(3_000));
    expect(growth).toBeLessThan(growthBytesMax);
    deaf.socket.resume();
    for (const { sub } of subscribe.slice(0, 20)) await deaf.next("subscribed", (message) => message["sub"] === sub);
    deaf.reset();
  });

  it("[ST-11] [F70] 60 MB of events pass it by; when it reads again it misses none", async () => {
    const stream = `log/${randomUUID()}`;
    const producer = randomUUID();
    const writer = await opened(victim.port);
    const publish = async (first: number, count: number, bytes: number): Promise<void> => {
      const events = Array.from({ length: count }, () => ({ event: "said", data: "x".repeat(bytes) }));
      writer.send({ type: "publish", stream, producer, sequence: first, events });
      await writer.next("published", (message) => message["sequence"] === first + count - 1);
    };
    await publish(1, 1, 1);
    const deaf = await opened(victim.port, { subscribe: [{ stream, sub: 1, from: "start" }] });
    await deaf.next("subscribed");
    deaf.socket.pause();
    const growth = await growthOf(async () => {
      for (let round = 0; round < 60; round += 1) await publish(2 + round * 10, 10, 100_000);
    });
    expect(growth).toBeLessThan(growthBytesMax);
    deaf.socket.resume();
    let cursor = 0;
    while (cursor < 601) {
      const { offset, events } = await deaf.next("events");
      expect(offset).toBe(cursor + 1);
      cursor += (events as unknown[]).length;
    }
    writer.reset();
    deaf.reset();
  });
});

describe("[security F5] a peer that asks without end", () => {
  it("[AD-5] 1,000 requests in one frame are all answered, in their order, 64 at a time", async () => {
    const peer = await opened(victim.port);
    const asked = Array.from({ length: 1_000 }, (_, round) => request("echo.effect", { round })) as { id: string }[];
    peer.send(...asked);
    for (const { id } of asked) expect((await peer.next("response"))["id"]).toBe(id);
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    peer.reset();
  });

  it.each([
    [
      "28,000 pings in one frame",
      () => [
        textFrame(`[${'{"type":"ping","n":1,"visible":true},'.repeat(27_999)}{"type":"ping","n":2,"visible":true}]`),
      ],
    ],
    [
      "200,000 empty frames",
      () => Array.from({ length: 20 }, () => Buffer.concat(Array(10_000).fill(textFrame("[]")))),
    ],
    [
      "100,000 frames of one ping",
      () =>
        Array.from({ length: 10 }, () =>
          Buffer.concat(Array(10_000).fill(messagesFrame({ type: "ping", n: 1, visible: true }))),
        ),
    ],
    [
      "6,000 subscriptions of one stream, each followed by its end",
      () => [
        messagesFrame(
          ...Array.from({ length: 12_000 }, (_, sub) =>
            sub % 2 === 0
              ? { type: "subscribe", stream: "notes", sub, from: "latest" }
              : { type: "unsubscribe", stream: "notes" },
          ).slice(0, 11_000),
        ),
      ],
    ],
    [
      "12,000 subscriptions of unknown streams",
      () => [
        messagesFrame(
          ...Array.from({ length: 12_000 }, (_, sub) => ({
            type: "subscribe",
            stream: `log/none-${sub}`,
            sub,
            from: "start",
          })),
        ),
      ],
    ],
    ["9,000 effects", () => [messagesFrame(...Array.from({ length: 6_000 }, () => request("echo.effect", {})))]],
    [
      "3,000 auths",
      () => [messagesFrame(...Array.from({ length: 10_000 }, () => ({ type: "auth", token: "hfk_x.y.z" })))],
    ],
    [
      "5,000 signals",
      () => [
        messagesFrame(...Array.from({ length: 10_000 }, () => ({ type: "signal", stream: "notes", signal: "typing" }))),
      ],
    ],
    [
      "acks of what is not its",
      () => [
        messagesFrame(
          ...Array.from({ length: 10_000 }, (_, offset) => ({ type: "ack", stream: "inbox/ada", epoch: "e", offset })),
        ),
      ],
    ],
  ])("[AD-5] %s: at most 200 messages a second are done, and the neighbour is served", async (_title, frames) => {
    const peer = await opened(victim.port);
    const growth = await growthOf(async () => {
      for (const bytes of frames()) peer.write(bytes);
      await pause(1_500);
    });
    expect(growth).toBeLessThan(growthBytesMax);
    // The burst of 400, and 200 more for each second that a busy machine may have taken.
    expect(answersOf(peer)).toBeLessThan(400 + 200 * 10);
    peer.reset();
  });

  const answersOf = (peer: RawPeer): number =>
    peer.said.filter(({ type }: Said) => ["pong", "response", "refused", "subscribed", "error"].includes(type)).length;

  it("[AD-5] the 1,001st subscription is refused too_many, the 1,000 others are answered", async () => {
    const subscribe = Array.from({ length: 1_000 }, (_, sub) => ({ stream: `large/${sub}-x`, sub, from: "start" }));
    const peer = await opened(victim.port, { subscribe });
    for (const { sub } of subscribe) expect((await peer.next("subscribed"))["sub"]).toBe(sub);
    peer.send({ type: "subscribe", stream: "notes", sub: 1_001, from: "start" });
    expect((await peer.next("refused"))["error"]).toMatchObject({ code: "too_many" });
    peer.reset();
  });

  it("unknown streams leave nothing behind in the hub", async () => {
    const peer = await opened(victim.port);
    const ask = async (from: number): Promise<void> => {
      for (let sub = from; sub < from + 200; sub += 1)
        peer.send({ type: "subscribe", stream: `log/absent-${sub}-${"x".repeat(150)}`, sub, from: "start" });
      for (let sub = from; sub < from + 200; sub += 1) await peer.next("refused", (message) => message["sub"] === sub);
    };
    await ask(0);
    const before = (await victim.status()).heapBytes;
    for (let round = 1; round < 6; round += 1) await ask(round * 200);
    expect((await victim.status()).heapBytes - before).toBeLessThan(2 * mebibyte);
    peer.reset();
  });
});

describe("what is refused is refused alone", () => {
  it("[TR-3] a result over 512 KiB is too_large, one below arrives", async () => {
    const peer = await opened(victim.port);
    peer.send(request("answer.large", { bytes: 4_000_000 }));
    expect((await peer.next("response"))["error"]).toMatchObject({ code: "too_large", retryable: false });
    peer.send(request("answer.large", { bytes: 500_000 }));
    expect((await peer.next("response"))["result"].text).toHaveLength(500_000);
    peer.reset();
  });

  it.each(["fail.now", "fail.later", "answer.strange"])(
    "[security F7] %s answers internal with a ref, and no stack",
    async (method) => {
      const peer = await opened(victim.port);
      peer.send(request(method, {}));
      const { error } = await peer.next("response");
      expect(error).toMatchObject({ code: "internal", retryable: true });
      expect(JSON.stringify(error)).not.toMatch(/\.ts|thrown|BigInt|at /);
      peer.reset();
    },
  );

  it("[RQ-4] an after that is itself, that is no id, a chain of 500, and one behind a refusal", async () => {
    const peer = await opened(victim.port);
    const own = newId();
    peer.send(request("echo.effect", {}, { id: own, after: own }));
    expect((await peer.next("response"))["error"]).toMatchObject({ code: "conflict", details: { reason: "after" } });
    peer.send(request("echo.effect", {}, { after: "__proto__" }));
    expect((await peer.next("response"))["error"]).toMatchObject({ code: "bad_message" });
    const chain = Array.from({ length: 500 }, () => newId());
    peer.send(
      ...chain.map((id, index) =>
        request("echo.effect", {}, { id, ...(index === 0 ? {} : { after: chain[index - 1] }) }),
      ),
    );
    for (const id of chain) expect(await peer.next("response")).toMatchObject({ id, result: {} });
    const failed = newId();
    peer.send(request("fail.mean", {}, { id: failed }), request("echo.effect", {}, { after: failed }));
    await peer.next("response");
    expect((await peer.next("response"))["error"]).toMatchObject({ details: { reason: "after_failed" } });
    peer.reset();
  });

  it("[RQ-3] deadlines of 0, of yesterday and of 2^53 - 1; ids of yesterday and of tomorrow", async () => {
    const peer = await opened(victim.port);
    const idAt = (ms: number): string => {
      const time = Math.floor(ms).toString(16).padStart(12, "0");
      return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${randomUUID().slice(24)}`;
    };
    const code = async (extras: object): Promise<unknown> => {
      peer.send(request("echo.effect", {}, extras));
      return (await peer.next("response"))["error"]?.code;
    };
    expect(await code({ deadline: 0 })).toBe("expired");
    expect(await code({ deadline: Date.now() - 86_400_000 })).toBe("expired");
    expect(await code({ deadline: Number.MAX_SAFE_INTEGER })).toBeUndefined();
    expect(await code({ id: idAt(Date.now() - 24 * 3_600_000) })).toBe("expired");
    expect(await code({ id: idAt(Date.now() + 3_600_000) })).toBe("expired");
    expect(await code({ id: idAt(0) })).toBe("expired");
    expect(await code({ id: randomUUID() })).toBe("bad_message");
    peer.reset();
  });

  it("[PB-1] 10,000 events at once are published, 10,001 and a gap are refused", async () => {
    const peer = await opened(victim.port);
    const publish = (stream: string, sequence: number, count: number): object => ({
      type: "publish",
      stream,
      producer: randomUUID(),
      sequence,
      events: Array.from({ length: count }, () => ({ event: "e", data: 1 })),
    });
    peer.send(publish("log/many", 1, 10_000));
    expect(await peer.next("published")).toMatchObject({ sequence: 10_000 });
    peer.send(publish("log/many", 1, 10_001));
    expect((await peer.next("refused"))["error"]).toMatchObject({ code: "bad_message" });
    peer.send(publish("log/many", Number.MAX_SAFE_INTEGER, 3));
    expect((await peer.next("refused"))["error"]).toMatchObject({ code: "sequence_gap", details: { expected: 1 } });
    for (const stream of ["notes", "nothing", "inbox/ada", "log", "logs/x", "a", "0", "LOG/x"]) {
      peer.send(publish(stream, 1, 1));
      expect((await peer.next("refused"))["error"]).toMatchObject({ code: "forbidden" });
    }
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    peer.reset();
  });

  it("[ST-15] a reader who lies about its cursor cannot make everybody start again, over and over", async () => {
    const stream = `log/${randomUUID()}`;
    const honest = await opened(victim.port);
    honest.send({ type: "publish", stream, producer: randomUUID(), sequence: 1, events: [{ event: "e", data: 1 }] });
    await honest.next("published");
    honest.send({ type: "subscribe", stream, sub: 1, from: "start" });
    await honest.next("subscribed");
    const liar = await opened(victim.port);
    liar.send({ type: "subscribe", stream, sub: 0, from: "start" });
    let { epoch } = await liar.next("subscribed");
    for (let sub = 1; sub <= 20; sub += 1) {
      liar.send({ type: "subscribe", stream, sub, from: { epoch, offset: 1_000_000 } });
      ({ epoch } = await liar.next("subscribed", (message) => message["sub"] === sub));
    }
    expect(honest.said.filter(({ type }) => type === "subscribed").length).toBeLessThan(3);
    expect(victim.log().split("stream.rolled_back").length - 1).toBeLessThan(3);
    honest.reset();
    liar.reset();
  });
});

describe("[security F4] sockets that say nothing", () => {
  it("1,000 of them without hello cost little, and others come in", async () => {
    const silent: RawPeer[] = [];
    const growth = await growthOf(async () => {
      for (let round = 0; round < 20; round += 1)
        silent.push(...(await Promise.all(Array.from({ length: 50 }, () => upgraded(victim.port)))));
      const began = performance.now();
      (await opened(victim.port)).reset();
      expect(performance.now() - began).toBeLessThan(neighbourMsMax);
    });
    expect(growth).toBeLessThan(growthBytesMax);
    for (const peer of silent) peer.reset();
  });
});
