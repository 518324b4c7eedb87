/** Readers over HTTP who ask and never read: what they did not take is not made (security F13). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { newId } from "../support/principals.ts";
import { createNeighbour, neighbourMsMax } from "./support/opened.ts";
import { dial } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

const askedPerPeer = 400;
const answerBytes = 400_000;
const peersCount = 4;
/** Far below what was asked for (640 MB), far above what the sockets' own buffers hold. */
const growthBytesMax = 60 * 1024 * 1024;
const settleMs = 1_500;

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim();
});
afterAll(async () => {
  await victim.assertWhole();
  await victim[Symbol.asyncDispose]();
});

const body = JSON.stringify({ bytes: answerBytes });
const request = (): string =>
  [
    "POST /api/answer.large HTTP/1.1",
    `Host: 127.0.0.1:${victim.port}`,
    "Content-Type: application/json",
    `Idempotency-Key: ${newId()}`,
    `Content-Length: ${body.length}`,
    "",
    body,
  ].join("\r\n");

it("[security F13] four that ask for 640 MB in one go and read nothing cost little, and nobody waits for them", async () => {
  await using neighbour = await createNeighbour(victim.port);
  await neighbour.settle();
  const before = await victim.status();
  const peers = Array.from({ length: peersCount }, () => dial(victim.port));
  for (const peer of peers) {
    peer.socket.pause();
    peer.write(Array.from({ length: askedPerPeer }, request).join(""));
  }
  const until = performance.now() + settleMs;
  while (performance.now() < until) await neighbour.settle();
  const after = await victim.status();
  expect(after.rssBytes - before.rssBytes).toBeLessThan(growthBytesMax);
  expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  // They were answered: what they left unread is in the sockets.
  for (const peer of peers) {
    peer.socket.resume();
    expect(await peer.answered()).toBe(200);
    peer.reset();
  }
});
