/** Peers that keep the server waiting: each wait has an end (security F4, OP-1, LV-2, AD-5). The server's clock runs fast. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../support/principals.ts";
import { makeHello } from "../support/world.ts";
import { opened } from "./support/opened.ts";
import { frame, messagesFrame, opcodes, textFrame } from "./support/rawFrame.ts";
import { dial, handshake, type RawPeer, upgraded } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

const speed = 20;
/** Of the real clock: Node's own timers for headers, 5 s and the second in which it looks; a busy machine. */
const headersMsMax = 9_000;

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ speed });
});
afterAll(async () => {
  await victim.assertWhole();
  await victim[Symbol.asyncDispose]();
});

/** Seconds of the server's clock until the peer was ended; `each` is done every 50 ms meanwhile. */
async function lifeOf(
  peer: RawPeer,
  each: (round: number) => void = () => {},
  ended: Promise<unknown> = peer.ended,
): Promise<number> {
  const began = performance.now();
  let round = 0;
  const timer = setInterval(() => each(round++), 50);
  await ended;
  clearInterval(timer);
  return ((performance.now() - began) * speed) / 1_000;
}

describe("[security F4] slow peers", () => {
  it.each([
    ["says nothing at all", ""],
    ["stops in its request line", "GET /ws HT"],
    ["stops in its headers", "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr"],
  ])("one that %s is ended within 9 s", async (_title, text) => {
    const peer = dial(victim.port);
    peer.write(text);
    const began = performance.now();
    await peer.ended;
    expect(performance.now() - began).toBeLessThan(headersMsMax);
  });

  it("one that sends a header byte each 50 ms is ended within 9 s", async () => {
    const peer = dial(victim.port);
    const text = handshake(victim.port, { "X-Long": "x".repeat(1_000) });
    expect((await lifeOf(peer, (round) => peer.write(text[round] ?? "x"))) / speed).toBeLessThan(headersMsMax / 1_000);
  });

  it.each([
    ["says no hello", (_peer: RawPeer) => {}],
    ["pings on the wire instead", (peer: RawPeer) => peer.write(frame({ opcode: opcodes.ping, payload: "x" }))],
  ])("[OP-1] one that %s is closed 4408 after 10 s", async (_title, each) => {
    const peer = await upgraded(victim.port);
    const seconds = await lifeOf(peer, () => each(peer));
    expect(await peer.ended).toMatchObject({ code: 4408, bye: 4408 });
    expect(seconds).toBeGreaterThan(9.5);
    expect(seconds).toBeLessThan(40);
  });

  it("[OP-1] one that sends its hello a byte at a time is closed 4408 after 10 s", async () => {
    const peer = await upgraded(victim.port);
    const bytes = messagesFrame(makeHello());
    const seconds = await lifeOf(peer, (round) => peer.write(bytes.subarray(round, round + 1)));
    expect((await peer.ended).code).toBe(4408);
    expect(seconds).toBeLessThan(40);
  });

  it.each([
    ["is silent", (_peer: RawPeer, _round: number) => {}],
    [
      "only pings and pongs on the wire",
      (peer: RawPeer) => peer.write(frame({ opcode: opcodes.ping }), frame({ opcode: opcodes.pong })),
    ],
    [
      "sends one byte of a frame at a time",
      (peer: RawPeer, round: number) => peer.write(textFrame(" ".repeat(10_000)).subarray(round, round + 1)),
    ],
    [
      "sends endless fragments",
      (peer: RawPeer, round: number) =>
        peer.write(frame({ fin: false, opcode: round === 0 ? opcodes.text : opcodes.continuation, payload: " " })),
    ],
  ])("[LV-2] one that %s after welcome is closed 4408 after 30 s", async (_title, each) => {
    const peer = await opened(victim.port);
    const seconds = await lifeOf(peer, (round) => each(peer, round));
    expect((await peer.ended).code).toBe(4408);
    expect(seconds).toBeGreaterThan(25);
    expect(seconds).toBeLessThan(80);
  });

  it("[AD-5] one that never reads its answers is ended after 5 minutes, though it goes on asking", async () => {
    const peer = await opened(victim.port);
    peer.socket.pause();
    // It reads nothing, so it learns of its end only by the reset that answers what it sends.
    const reset = new Promise<void>((resolve) => peer.socket.once("error", () => resolve()));
    const ask = { type: "request", method: "answer.large", params: { bytes: 100_000 } };
    const seconds = await lifeOf(peer, () => peer.send({ ...ask, id: newId() }), reset);
    expect(seconds).toBeGreaterThan(250);
    expect(seconds).toBeLessThan(480);
  }, 40_000);
});
