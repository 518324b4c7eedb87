/** Sound frames with hostile messages in them: one answer each, nothing else happens (security F9–F11, TR-4, TR-6). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../support/principals.ts";
import { createNeighbour, type Neighbour, neighbourMsMax, opened } from "./support/opened.ts";
import { textFrame } from "./support/rawFrame.ts";
import type { RawPeer, Said } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

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

const names = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf", "prototype", "__defineGetter__"];
/** security F11 */
const keysMsMax = 50;
/** Sending, receiving and refusing 1 MiB. */
const refusalMsMax = 60;

/** Sends a frame's text and then a ping: everything said before its pong. The connection must live. */
async function ask(peer: RawPeer, text: string): Promise<Said[]> {
  const n = Math.floor(Math.random() * 1e9);
  peer.write(textFrame(text));
  peer.send({ type: "ping", n, visible: true });
  await peer.next("pong", (message) => message["n"] === n);
  return peer.said.splice(0);
}
/** The same for what is answered after a commit: waits for the answer of that type. */
async function answerTo(peer: RawPeer, text: string, type: string): Promise<Said> {
  peer.write(textFrame(text));
  return peer.next(type);
}
const requestText = (params: string, method = "echo.effect", id = newId()): string =>
  `[{"type":"request","id":"${id}","method":${JSON.stringify(method)},"params":${params}}]`;
const publishText = (data: string, sequence = 1): string =>
  `[{"type":"publish","stream":"log/hostile","producer":"${randomUUID()}","sequence":${sequence},"events":[{"event":"said","data":${data}}]}]`;
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("[security F10] names of prototypes", () => {
  it.each(names)("%s as type, stream, method, event, id and field is only a name", async (name) => {
    const peer = await opened(victim.port);
    expect((await ask(peer, JSON.stringify([{ type: name }])))[0]).toMatchObject({
      type: "error",
      code: "bad_message",
    });
    const [refused] = await ask(peer, JSON.stringify([{ type: "subscribe", stream: name, sub: 1, from: "start" }]));
    if (refused === undefined) expect(await peer.next("refused")).toMatchObject({ stream: name, sub: 1 });
    else expect(refused).toMatchObject({ type: "refused", stream: name, sub: 1 });
    const response = await answerTo(peer, requestText("{}", name), "response");
    expect(["bad_message", "not_found"]).toContain(response["error"].code);
    expect(
      (
        await answerTo(
          peer,
          `[{"type":"publish","stream":"${name}","producer":"${randomUUID()}","sequence":1,"events":[]}]`,
          "refused",
        )
      )["error"].code,
    ).toMatch(/bad_message|forbidden/);
    expect((await ask(peer, requestText("{}", "note.add", name)))[0]).toMatchObject({
      type: "error",
      code: "bad_message",
    });
    const published = await answerTo(peer, publishText(`{"${name}":{"polluted":true}}`), "published");
    expect(published).toMatchObject({ sequence: 1 });
    const echoed = await answerTo(peer, requestText(`{"${name}":{"polluted":true},"a":1}`), "response");
    expect(echoed["result"]).toMatchObject({ params: { a: 1 } });
    peer.reset();
    await victim.assertWhole();
  });

  it("duplicate keys: the last one holds, for the type too", async () => {
    const peer = await opened(victim.port);
    const said = await ask(peer, '[{"type":"leave","type":"ping","n":3,"n":4,"visible":true}]');
    expect(said).toMatchObject([{ type: "pong", n: 4 }]);
    peer.reset();
  });
});

describe("[security F9] texts and numbers", () => {
  it.each([
    ["half a surrogate pair", '{"text":"\\ud800"}'],
    ["half a pair as a key", '{"\\udfff":1}'],
    ["a number that no double holds", '{"n":1e999}'],
    ["a negative one", '{"n":[-1e999]}'],
    ["10,000 levels", `{"a":${nested(10_000)}}`],
    ["3,900 levels", `{"a":${nested(3_900)}}`],
    ["100,000 levels of objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ])("a request with %s gets a final answer, over and over, and nothing else ends", async (_title, params) => {
    const peer = await opened(victim.port);
    for (let round = 0; round < 3; round += 1) {
      const response = await answerTo(peer, requestText(params), "response");
      expect(response["error"]).toMatchObject({ retryable: false });
      expect(["bad_message", "invalid_params"]).toContain(response["error"].code);
    }
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    peer.reset();
  });

  it.each([101, 3_000, 3_900, 4_500, 6_000, 10_000, 100_000])(
    "[PB-2] an event of %i levels is rejected by its sequence; those beside it, and everybody else, commit",
    async (depth) => {
      const peer = await opened(victim.port);
      const before = victim.lines();
      const deep = publishText(nested(depth));
      const published = await answerTo(
        peer,
        deep.replace('"events":[', '"events":[{"event":"said","data":1},'),
        "published",
      );
      expect(published).toMatchObject({ sequence: 2, rejected: [{ sequence: 2, error: { code: "bad_message" } }] });
      expect(published["rejected"][0].error.message).toContain("levels deep");
      expect(victim.log().split("\n").slice(before).join("\n")).not.toContain("failed");
      expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
      peer.reset();
    },
  );

  it.each([
    ["a signal", `[{"type":"signal","stream":"notes","signal":"typing","data":${nested(50_000)}}]`, "refused"],
    ["an auth", `[{"type":"auth","token":${nested(50_000)}}]`, "error"],
    ["a ping", `[{"type":"ping","n":${nested(50_000)},"visible":true}]`, "error"],
    ["an unknown field", `[{"type":"ping","n":1,"visible":true,"x":${nested(50_000)}}]`, "pong"],
    ["a subscription", `[{"type":"subscribe","stream":"notes","sub":1,"from":${nested(50_000)}}]`, "refused"],
  ])("50,000 levels in %s are answered", async (_title, text, type) => {
    const peer = await opened(victim.port);
    expect((await answerTo(peer, text, type))["type"]).toBe(type);
    expect((await ask(peer, "[]")).length).toBe(0);
    peer.reset();
  });

  it.each([
    ["-1", -1],
    ["a half", 0.5],
    ["2^53", 2 ** 53],
    ["1e300", 1e300],
    ["a text", "1"],
    ["null", null],
    ["a list", [1]],
  ])("an offset, a sequence and a sub of %s are refused", async (_title, value) => {
    const peer = await opened(victim.port);
    const producer = randomUUID();
    const said = [
      ...(await ask(
        peer,
        JSON.stringify([{ type: "subscribe", stream: "notes", sub: 1, from: { epoch: "e", offset: value } }]),
      )),
      ...(await ask(
        peer,
        JSON.stringify([{ type: "publish", stream: "log/x", producer, sequence: value, events: [] }]),
      )),
      ...(await ask(peer, JSON.stringify([{ type: "subscribe", stream: "notes", sub: value, from: "start" }]))),
      ...(await ask(peer, JSON.stringify([{ type: "ping", n: value, visible: true }]))),
      ...(await ask(peer, JSON.stringify([{ type: "ack", stream: "inbox/x", epoch: "e", offset: value }]))),
    ];
    expect(said.map(({ type }) => type)).toEqual(["refused", "refused", "error", "error", "error"]);
    peer.reset();
  });
});

describe("large but sound JSON (security F9, F11)", () => {
  it("[security F11] 50,000 numeric keys take less than 50 ms, and so does what stands behind them", async () => {
    const peer = await opened(victim.port);
    const keys = Array.from({ length: 50_000 }, (_, index) => `"${index}":1`).join(",");
    const numeric = JSON.parse(`{${keys}}`) as object;
    expect(Object.keys(numeric)).toHaveLength(50_000);
    await ask(peer, "[]");
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const began = performance.now();
      await ask(peer, `[{"type":"ping","n":1,"visible":true,"x":{${keys}}}]`);
      times.push(performance.now() - began);
    }
    expect(Math.min(...times)).toBeLessThan(keysMsMax);
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    peer.reset();
  });

  it.each([
    ["50,000 numeric keys far apart", Array.from({ length: 50_000 }, (_, index) => `"${index * 1_024}":1`)],
    ["50,000 names", Array.from({ length: 50_000 }, (_, index) => `"key${index}":1`)],
    ["340,000 lists", [`"a":[${Array(340_000).fill("[]").join(",")}]`]],
  ])("[security F9] 20 requests of %s are refused at no more than their parsing costs", async (_title, members) => {
    const peer = await opened(victim.port);
    const params = `{${members.join(",")}}`;
    const began = performance.now();
    JSON.parse(params);
    const parsingMs = performance.now() - began;
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const asked = performance.now();
      const { error } = await answerTo(peer, requestText(params), "response");
      times.push(performance.now() - asked);
      expect(error).toMatchObject({ code: "bad_message", retryable: false });
    }
    expect(Math.min(...times)).toBeLessThan(refusalMsMax + 3 * parsingMs);
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    peer.reset();
  });

  it.each([
    ["a million commas' worth of numbers", `[${"1,".repeat(500_000)}1]`],
    ["empty objects", `[${"{},".repeat(349_000)}{}]`],
    ["empty lists", `[${"[],".repeat(349_000)}[]]`],
    ["10,000 unknown types", JSON.stringify(Array.from({ length: 10_000 }, (_, index) => ({ type: `t${index}` })))],
  ])("[TR-4] a frame of %s is closed 4400 at its tenth", async (_title, text) => {
    const peer = await opened(victim.port);
    peer.write(textFrame(text));
    expect((await peer.ended).code).toBe(4400);
    expect(peer.said.filter(({ type }) => type === "error")).toHaveLength(10);
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  });

  it("[TR-4] a name too long to be one is an error, not repeated by the megabyte", async () => {
    const peer = await opened(victim.port);
    const stream = "x".repeat(1_000_000);
    const said = await ask(peer, JSON.stringify([{ type: "subscribe", stream, sub: 1, from: "start" }]));
    expect(JSON.stringify(said).length).toBeLessThan(2_000);
    peer.reset();
  });
});

describe("subscriptions in every wrong shape (F02)", () => {
  it.each([
    ["no stream", { sub: 1, from: "start" }, "error"],
    ["no sub", { stream: "notes", from: "start" }, "error"],
    ["no from", { stream: "notes", sub: 1 }, "refused"],
    ["from as an offset", { stream: "notes", sub: 1, from: 5 }, "refused"],
    ["from another word", { stream: "notes", sub: 1, from: "newest" }, "refused"],
    ["from without epoch", { stream: "notes", sub: 1, from: { offset: 1 } }, "refused"],
    ["an empty epoch", { stream: "notes", sub: 1, from: { epoch: "", offset: 1 } }, "refused"],
    ["a long epoch", { stream: "notes", sub: 1, from: { epoch: "e".repeat(65), offset: 1 } }, "refused"],
    ["an epoch that is a list", { stream: "notes", sub: 1, from: { epoch: ["e"], offset: 1 } }, "refused"],
    ["a stream that is a list", { stream: ["notes"], sub: 1, from: "start" }, "error"],
    ["a stream that is an object", { stream: { toString: "notes" }, sub: 1, from: "start" }, "error"],
    ["an empty stream", { stream: "", sub: 1, from: "start" }, "refused"],
    ["a stream with a line end", { stream: "notes\n", sub: 1, from: "start" }, "refused"],
    ["a stream with a zero byte", { stream: "notes\0", sub: 1, from: "start" }, "refused"],
    ["a stream with a quote", { stream: "notes' OR '1'='1", sub: 1, from: "start" }, "refused"],
    ["a stream of 201 letters", { stream: "x".repeat(201), sub: 1, from: "start" }, "error"],
    ["a path upwards", { stream: "log/../notes", sub: 1, from: "start" }, "refused"],
    ["a prefix alone", { stream: "log/", sub: 1, from: "start" }, "refused"],
    ["another's inbox", { stream: "inbox/ada", sub: 1, from: "start" }, "refused"],
    ["no such stream", { stream: "nothing", sub: 1, from: "start" }, "refused"],
  ])("%s is answered, and the next subscription works", async (_title, fields, type) => {
    const peer = await opened(victim.port);
    expect((await answerTo(peer, JSON.stringify([{ type: "subscribe", ...fields }]), type))["type"]).toBe(type);
    peer.send({ type: "subscribe", stream: "notes", sub: 2, from: "start" });
    expect(await peer.next("subscribed")).toMatchObject({ sub: 2 });
    peer.reset();
  });

  it.each([
    ["no list", { a: 1 }],
    ["a list of texts", ["notes"]],
    ["one bad among good", [{ stream: "notes", sub: 1, from: "start" }, { stream: "notes" }]],
    ["1,001 of them", Array.from({ length: 1_001 }, (_, sub) => ({ stream: `log/${sub}`, sub, from: "start" }))],
  ])("hello.subscribe as %s closes 4400", async (_title, subscribe) => {
    await expect(opened(victim.port, { subscribe })).rejects.toThrow("ended (4400)");
  });
});
