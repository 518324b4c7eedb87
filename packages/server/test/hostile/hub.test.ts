/** What hostile readers and writers can make the hub keep (security F6): channels and tails, each within its bound. */
import { describe, expect, it } from "vitest";
import type { Appended, StreamPosition } from "../../src/store/port.ts";
import { createHub } from "../../src/streams/hub.ts";
import { healthy } from "../support/health.ts";
import { createSimClock } from "../support/simClock.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** More than the hub follows (20,000), and more than the 256 MiB that its tails may hold. */
const namesOverMax = 20_000 + 1_000;
const tailsOverMax = 300;
const tailText = JSON.stringify("x".repeat(1024 * 1024));

function hubOver(position: () => Promise<StreamPosition | null>) {
  const store = { position, read: async () => ({ offset: 1, events: [] }), positions: async () => [] };
  return createHub({
    health: healthy,
    store: store as never,
    clock: createSimClock(),
    log: silent,
    encode: () => new Uint8Array(),
  });
}

const run = (stream: string, json: string): Appended =>
  ({ workspace: "w", stream, epoch: "e", offset: 1, events: [{ event: "e", at: 1, json }] }) as never;

describe("the hub", () => {
  it("[security F6] keeps no more channels than its bound while the store refuses every lookup", async () => {
    const hub = hubOver(async () => {
      throw new Error("the store is down");
    });
    for (let index = 0; index < namesOverMax; index += 1) await hub.storedPosition("w", `log/${index}`).catch(() => {});
    hub.deliver([run("log/0", "1")]);
    expect(hub.head("w", "log/0")).toBe(0);
    hub.deliver([run(`log/${namesOverMax - 1}`, "1")]);
    expect(hub.head("w", `log/${namesOverMax - 1}`)).toBe(1);
    hub.stop();
  });

  it("[security F6] lets tails go that nobody reads, also where nobody looks anything up any more", async () => {
    const hub = hubOver(async () => ({ epoch: "e", head: 0, trimmed: 0, acknowledged: 0 }));
    for (let index = 0; index < tailsOverMax; index += 1) await hub.storedPosition("w", `log/${index}`);
    for (let round = 0; round < 2; round += 1)
      for (let index = 0; index < tailsOverMax; index += 1) hub.deliver([run(`log/${index}`, tailText)]);
    expect(hub.head("w", "log/0")).toBe(0);
    expect(hub.head("w", `log/${tailsOverMax - 1}`)).toBe(1);
    hub.stop();
  });
});
