/** Frames that RFC 6455 forbids, or that are too much: each its close code, and nobody else notices (security F1–F3). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHello } from "../support/world.ts";
import { createNeighbour, type Neighbour, neighbourMsMax, opened } from "./support/opened.ts";
import { closeFrame, frame, messagesFrame, opcodes, textFrame } from "./support/rawFrame.ts";
import { dial, handshake, type RawPeer, upgraded } from "./support/rawPeer.ts";
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

const mebibyte = 1024 * 1024;
/** CL-1's 2 s, and what a busy machine adds. */
const endTcpMsMax = 3_500;
const badUtf8 = Buffer.from([0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d]);
const first = (payload: string | Uint8Array): Buffer => frame({ fin: false, payload });
const more = (payload: string | Uint8Array, fin = false): Buffer =>
  frame({ fin, opcode: opcodes.continuation, payload });

type Case = readonly [title: string, code: number, bytes: () => readonly Uint8Array[]];
const cases: readonly Case[] = [
  ["[security F1] a text frame of 1 MiB and a byte", 1009, () => [textFrame("x".repeat(mebibyte + 1))]],
  [
    "[security F1] a header that claims 1 MiB and a byte, before the payload",
    1009,
    () => [frame({ claimed: BigInt(mebibyte + 1) })],
  ],
  [
    "[security F1] fragments that add up to more than 1 MiB",
    1009,
    () => [first("x".repeat(mebibyte / 2)), more("x".repeat(mebibyte / 2)), more("x")],
  ],
  [
    "[security F1] 2,000 fragments of one byte",
    1008,
    () => [first("["), ...Array.from({ length: 2_000 }, () => more("1"))],
  ],
  ["[security F1] 2,000 empty fragments", 1008, () => [first(""), ...Array.from({ length: 2_000 }, () => more(""))]],
  ["[security F3] an unmasked frame", 1002, () => [frame({ masked: false, payload: "[]" })]],
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (reserved) =>
      [`[security F3] reserved bits ${reserved}`, 1002, () => [frame({ reserved, payload: "[]" })]] satisfies Case,
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`[security F3] opcode ${opcode}`, 1002, () => [frame({ opcode, payload: "[]" })]] satisfies Case,
  ),
  ["[security F3] a continuation of nothing", 1002, () => [more("[]", true)]],
  ["[security F3] a new text frame inside a fragmented one", 1002, () => [first("["), first("[")]],
  ["[security F3] a ping of 126 bytes", 1002, () => [frame({ opcode: opcodes.ping, payload: "x".repeat(126) })]],
  ["[security F3] a ping in fragments", 1002, () => [frame({ fin: false, opcode: opcodes.ping, payload: "x" })]],
  ["[security F3] a close frame of one byte", 1002, () => [frame({ opcode: opcodes.close, payload: "x" })]],
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535].map(
    (code) => [`[security F3] close code ${code}`, 1002, () => [closeFrame(code)]] satisfies Case,
  ),
  ["[security F3] a close reason that is not UTF-8", 1007, () => [closeFrame(1000, badUtf8)]],
  ["[security F3] a text that is not UTF-8", 1007, () => [frame({ payload: badUtf8 })]],
  ["[security F3] half a surrogate as UTF-8 (CESU)", 1007, () => [frame({ payload: Buffer.from([0xed, 0xa0, 0x80]) })]],
  ["[security F3] a length of 2^63", 1009, () => [frame({ claimed: 2n ** 63n, lengthBytes: 8 })]],
  ["[security F3] a length of 2^64 - 1", 1009, () => [frame({ claimed: 2n ** 64n - 1n, lengthBytes: 8 })]],
  ["[TR-4][security F14] a binary frame", 1003, () => [frame({ opcode: opcodes.binary, payload: "[]" })]],
  ["[TR-4][security F14] an empty binary frame", 1003, () => [frame({ opcode: opcodes.binary })]],
  ["[TR-4] ten frames that are no JSON", 4400, () => Array.from({ length: 10 }, () => textFrame("{"))],
];

describe("after welcome", () => {
  it.each(cases)("%s closes %i", async (_title, code, bytes) => {
    const peer = await opened(victim.port);
    peer.write(...bytes());
    expect((await peer.ended).code).toBe(code);
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  });

  it("[CL-1] a peer that does not leave when it is told to has its TCP ended within 3 s", async () => {
    for (const bytes of [frame({ opcode: 3 }), frame({ opcode: opcodes.binary })]) {
      const peer = await opened(victim.port, {}, true);
      const began = performance.now();
      peer.write(bytes);
      // Only a byte that nobody takes any more shows that TCP has ended on the other side too.
      const knocking = setInterval(() => peer.write("x"), 100);
      await peer.ended;
      clearInterval(knocking);
      expect(performance.now() - began).toBeLessThan(endTcpMsMax);
    }
  });

  it("[security F3] a control frame between fragments is legal, and the message is whole", async () => {
    const peer = await opened(victim.port);
    const [text] = [JSON.stringify([{ type: "ping", n: 7, visible: true }])];
    peer.write(first(text.slice(0, 5)), frame({ opcode: opcodes.ping, payload: "x" }), more(text.slice(5), true));
    expect(await peer.next("pong")).toMatchObject({ n: 7 });
    expect(peer.pongs).toBe(1);
    peer.reset();
  });

  it("[security F3] the longest length form for a short frame is read, and a whole MiB of a frame too", async () => {
    const peer = await opened(victim.port);
    peer.write(frame({ payload: '[{"type":"ping","n":1,"visible":true}]', lengthBytes: 8 }));
    expect(await peer.next("pong")).toMatchObject({ n: 1 });
    const filler = " ".repeat(mebibyte - 38);
    peer.write(textFrame(`[{"type":"ping","n":2,"visible":true}${filler}]`));
    expect(await peer.next("pong")).toMatchObject({ n: 2 });
    peer.reset();
  });

  it("[security F3] a close is answered with its own code, 1005 for none", async () => {
    for (const [bytes, code] of [
      [closeFrame(1000), 1000],
      [closeFrame(4999, "bye"), 4999],
      [frame({ opcode: opcodes.close }), 1005],
    ] as const) {
      const peer = await opened(victim.port);
      peer.write(bytes);
      expect((await peer.ended).code).toBe(code);
    }
  });

  it("[security F1] 200,000 pings are answered or the socket ends; who reads none of the answers ends", async () => {
    const ping = frame({ opcode: opcodes.ping, payload: "x".repeat(125) });
    const flood = Buffer.concat(Array.from({ length: 2_000 }, () => ping));
    const deaf = await opened(victim.port);
    const before = await victim.status();
    deaf.socket.pause();
    let isGone = false;
    deaf.socket.on("close", () => {
      isGone = true;
    });
    for (let round = 0; round < 100 && !isGone; round += 1) {
      if (!deaf.socket.write(flood))
        await Promise.race([new Promise((resolve) => deaf.socket.once("drain", resolve)), deaf.ended]);
    }
    const after = await victim.status();
    expect(after.rssBytes - before.rssBytes).toBeLessThan(20 * mebibyte);
    deaf.reset();
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  });
});

describe("before welcome", () => {
  it("[TR-3] 64 KiB and a byte close 1009", async () => {
    const peer = await upgraded(victim.port);
    peer.write(textFrame(" ".repeat(64 * 1024 + 1)));
    expect((await peer.ended).code).toBe(1009);
  });

  it("[TR-3][security F6] a frame that never ends is cut at 64 KiB, not kept until it is whole", async () => {
    const peers = await Promise.all(Array.from({ length: 100 }, () => upgraded(victim.port, {}, true)));
    const before = await victim.status();
    const almost = frame({ payload: " ".repeat(mebibyte) }).subarray(0, mebibyte - 1_000);
    for (const peer of peers) peer.write(almost);
    const endings = await Promise.all(peers.map(({ ended }) => ended));
    const after = await victim.status();
    expect(after.rssBytes - before.rssBytes).toBeLessThan(30 * mebibyte);
    expect(new Set(endings.map(({ code }) => code))).toEqual(new Set([1009]));
  });

  it("[TR-3] a hello of 64 KiB is heard", async () => {
    const peer = await upgraded(victim.port);
    const hello = JSON.stringify([makeHello()]);
    peer.write(textFrame(`${hello.slice(0, -1).padEnd(64 * 1024 - 1)}]`));
    await peer.next("welcome");
    peer.reset();
  });

  it.each([
    ["nothing of use", "[]"],
    ["no array", "{}"],
    ["no JSON", "hello"],
    ["an empty text", ""],
    ["a null", "[null]"],
    ["an array in an array", "[[]]"],
    ["deep arrays", "[".repeat(30_000) + "]".repeat(30_000)],
    ["a deep unclosed array", "[".repeat(60_000)],
    ["a ping", '[{"type":"ping","n":1,"visible":true}]'],
    ["an unknown type", '[{"type":"__proto__"}]'],
    ["a type that is an object", '[{"type":{"toString":"hello"}}]'],
    ["__proto__ as hello", '[{"__proto__":{"type":"hello"}}]'],
    ["another protocol", JSON.stringify([{ ...makeHello(), protocol: 2 }])],
    ["a huge protocol", JSON.stringify([makeHello()]).replace('"protocol":1', '"protocol":1e999')],
  ])("[OP-1] %s closes 4400", async (_title, text) => {
    const peer = await upgraded(victim.port);
    peer.write(textFrame(text));
    expect(await peer.ended).toMatchObject({ code: 4400, bye: 4400 });
  });

  it.each([
    ["no object", 1],
    ["null", null],
    ["an array", []],
    ["no name", { kind: "shell", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] }],
    ["101 capabilities", { capabilities: Array(101).fill("x") }],
    ["a capability of 101 letters", { capabilities: ["x".repeat(101)] }],
    ["1,001 open commands", { open: Array(1_001).fill("x") }],
    ["open as an object", { open: { length: 3 } }],
    ["a process that is no UUID", { process: "__proto__" }],
    ["an inbox without epoch", { inbox: { offset: 1 } }],
    ["an inbox offset of -1", { inbox: { epoch: "e", offset: -1 } }],
    ["an inbox offset of 1e300", { inbox: { epoch: "e", offset: 1e300 } }],
    ["an empty name", { name: "" }],
    ["a name of 101 letters", { name: "x".repeat(101) }],
    ["a generation that it gives itself, and no name", { name: 5, generation: 99 }],
  ])("[OP-6] an agent with %s closes 4400", async (_title, changes) => {
    const sound = { name: "a", kind: "shell", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] };
    const isPart = typeof changes === "object" && changes !== null && !Array.isArray(changes) && !("kind" in changes);
    const peer = await upgraded(victim.port);
    peer.send(makeHello({ agent: isPart ? { ...sound, ...changes } : changes }));
    expect((await peer.ended).code).toBe(4400);
  });

  it("[security F8] a reset at each of the first bytes of handshake and frame harms nobody", async () => {
    const bytes = Buffer.concat([Buffer.from(handshake(victim.port)), messagesFrame(makeHello())]);
    const cuts = Array.from({ length: 40 }, (_, index) => Math.floor((index / 39) * bytes.length));
    for (const cut of cuts) {
      const peer = await saidUntil(bytes.subarray(0, cut));
      peer.reset();
    }
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
    await victim.assertWhole();
  });
});

async function saidUntil(bytes: Uint8Array): Promise<RawPeer> {
  const peer = dial(victim.port);
  await new Promise<void>((resolve) => (peer.socket.connecting ? peer.socket.once("connect", resolve) : resolve()));
  if (bytes.length > 0) await new Promise<void>((resolve) => peer.socket.write(bytes, () => resolve()));
  return peer;
}
