/** A crowd of sockets that say nothing and do not leave: what still finds a place, over raw sockets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createServer } from "../../src/index.ts";
import { makeHello } from "../support/world.ts";
import { dial, handshake, type RawPeer } from "./support/rawPeer.ts";

const app = new URL("../support/notesApp.ts", import.meta.url);
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

it("[AD-3][TR-1] the oldest silent one gets 4408; beyond all places an upgrade gets 503 with Retry-After, and an opening none the less", async () => {
  const data = await mkdtemp(join(tmpdir(), "holdfast-crowd-"));
  cleanUp.push(() => rm(data, { recursive: true }));
  const quiet = (): void => {};
  const server = await createServer({
    app,
    data,
    mode: "development",
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    // Room for 4 + 2 + 2 that are not welcomed, those included that were told to go and did not.
    admission: {
      socketsWithoutHelloMax: 4,
      socketsWithoutHelloPerAddressMax: 4,
      openingsWaitingMax: 2,
      openingsUnderWayMax: 2,
    },
  });
  cleanUp.push(() => server.close());
  const port = Number(new URL(server.url).port);
  const come = async (lingers: boolean): Promise<RawPeer> => {
    const peer = dial(port, lingers);
    cleanUp.push(() => peer.reset());
    peer.write(handshake(port));
    await peer.answered();
    return peer;
  };
  const crowd: RawPeer[] = [];
  for (let one = 0; one < 8; one += 1) crowd.push(await come(true));
  expect(crowd.map(({ status }) => status)).toEqual(Array(8).fill(101));
  expect(await crowd[0]?.next("bye")).toMatchObject({ code: 4408, reconnect: true });
  const refused = await come(true);
  expect(refused.status).toBe(503);
  expect(refused.head).toMatch(/\r\nretry-after: 1\r\n/i);

  // 2 s later those that were told to go are gone, and the silent ones take nobody's place.
  for (let tries = 0; tries < 100; tries += 1) {
    const peer = await come(false);
    if (peer.status === 503) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    peer.send(makeHello());
    expect(await peer.next("welcome")).toMatchObject({ user: { temporary: true } });
    return;
  }
  expect.unreachable("nobody came in within 10 s");
}, 30_000);
