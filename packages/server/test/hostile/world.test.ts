/** What only a failing room shows: an authenticator and a store that throw, under hostile use (security F7). */
import { limits, uuidv7 } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { ada } from "../support/principals.ts";
import { accepted, createWorld } from "../support/world.ts";

describe("failing rooms", () => {
  it("[security F7] an authenticator that throws at auth is an answer, not the end of the process", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", hear);
    world.verdict = () => {
      throw new TypeError("a key that cannot be read");
    };
    client.send({ type: "auth", token: "x" });
    await world.clock.advance(100);
    process.off("unhandledRejection", hear);
    expect(unhandled).toEqual([]);
    expect(client.of("error")[0]).toMatchObject({ code: "auth_unavailable", retryable: true });
    expect(client.closed).toBeUndefined();
  });

  it("[security F7] a plugin that throws when an agent comes or goes costs nobody their connection, and is told once", async () => {
    const world = await createWorld();
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", hear);
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    world.agents.push = () => {
      throw new TypeError("a plugin's own fault");
    };
    const client = world.connect();
    const agent = { name: "a", kind: "shell", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] };
    await client.open({ agent });
    expect(client.of("welcome")).toHaveLength(1);
    expect(client.closed).toBeUndefined();
    client.drop();
    await world.clock.advance(100);
    process.off("unhandledRejection", hear);
    expect(unhandled).toEqual([]);
    expect(world.gateway.connections.size).toBe(0);
    expect(world.log.filter(({ event }) => event === "plugin.failed")).toHaveLength(1);
  });

  it("[AD-5] at most 65 requests of a frame are begun before one is answered, the others wait for it", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    let begun = 0;
    const { query } = world.store;
    world.store.query = (...asked) => {
      begun += 1;
      return query(...asked);
    };
    const id = (): string => uuidv7(world.clock.now(), crypto.getRandomValues(new Uint8Array(10)));
    const asked = Array.from({ length: 300 }, () => ({ type: "request", id: id(), method: "note.list", params: {} }));
    client.stalled = true;
    client.send(...asked);
    expect(begun).toBeLessThanOrEqual(limits.requestsUnderWayMax + 1);
    await world.clock.advance(2_000);
    client.drain();
    await world.clock.advance(2_000);
    expect(client.of("response").map((message) => message.id)).toEqual(asked.map((message) => message.id));
  });
});
