/**
 * Weather on a socket: what is held back keeps its order, counts as unsent, and meets nobody else.
 *
 * Seen red: with a fair line that overtakes what slow weather held; with `heldBytes` left out; with `isOf` without the
 * session; with a half-open line that keeps what it held.
 */
import { describe, expect, it } from "vitest";
import { createLine, slowDelayMs } from "../../src/gateway/weather.ts";
import { ada } from "../support/principals.ts";
import { createSimClock } from "../support/simClock.ts";
import { accepted, createWorld, type TestClient } from "../support/world.ts";

function makeLine() {
  const clock = createSimClock();
  const passed: string[] = [];
  let drained = 0;
  const line = createLine(clock, () => {
    drained += 1;
  });
  const pass = (word: string, bytes?: number): void => line.pass(() => void passed.push(word), bytes);
  return { clock, line, passed, pass, drained: () => drained };
}

describe("a line", () => {
  it("in slow weather passes each frame after its time, and never lets a later one overtake", async () => {
    const { clock, line, passed, pass, drained } = makeLine();
    pass("at once");
    line.set("slow");
    pass("one", 5);
    await clock.advance(slowDelayMs / 2);
    pass("two", 7);
    expect([passed, line.heldBytes]).toEqual([["at once"], 12]);
    line.set("fair");
    pass("three");
    await clock.advance(slowDelayMs / 2);
    expect([passed, line.heldBytes]).toEqual([["at once", "one"], 7]);
    await clock.advance(slowDelayMs / 2);
    expect([passed, line.heldBytes]).toEqual([["at once", "one", "two", "three"], 0]);
    expect(drained()).toBe(1);
    pass("four");
    expect([passed.at(-1), clock.timers]).toEqual(["four", 0]);
  });

  it("half-open passes nothing any more, nor what it held; its end leaves no timer", async () => {
    const { clock, line, passed, pass } = makeLine();
    line.set("slow");
    pass("held", 5);
    line.set("halfOpen");
    pass("lost", 5);
    await clock.advance(10 * slowDelayMs);
    expect([passed, line.heldBytes, clock.timers]).toEqual([[], 0, 0]);
    line.set("slow");
    pass("later");
    line.end();
    expect(clock.timers).toBe(0);
  });
});

const bob = { ...ada, id: "bob", name: "Bob" };

describe("the gateway", () => {
  it("meets the caller's own connections only, and of one browser where there is a session", async () => {
    const world = await createWorld();
    const laptop = { ...ada, session: "laptop" };
    const made: TestClient[] = [];
    for (const principal of [laptop, { ...ada, session: "phone" }, bob, { ...ada, workspace: "elsewhere" }]) {
      world.verdict = () => accepted(principal);
      const client = world.connect();
      await client.open();
      made.push(client);
    }
    expect(world.gateway.disturb(laptop, "slow")).toBe(1);
    expect(made.map(({ weather }) => weather)).toEqual([["slow"], [], [], []]);
    // Without a session nothing tells this person's browsers apart.
    expect(world.gateway.disturb(ada, "halfOpen")).toBe(2);
    // What never ends does not expire.
    expect(world.gateway.disturb(laptop, "expire")).toBe(0);
  });

  it("[AU-8] brings the end of a credential forward: told at the next sweep, closed when it is not renewed", async () => {
    const world = await createWorld();
    world.verdict = () => accepted(ada, world.clock.now() + 3_600_000);
    const client = world.connect();
    await client.open();
    expect(world.gateway.disturb(ada, "expire")).toBe(1);
    await world.clock.advance(1_100);
    expect(client.of("expiring")).toEqual([{ type: "expiring", in: 0 }]);
    await world.clock.advance(28_000);
    client.send({ type: "ping", n: 1, visible: true });
    await world.clock.advance(2_000);
    expect(client.closed?.code).toBe(4401);
  });
});
