/**
 * A token that changes a hundred times in a second, while HTTP calls, the network and the page all speak at once.
 *
 * Seen red: with a connection that is given up at each `online`, and with the first token kept for good.
 */
import { expect, it } from "vitest";
import { type Scenario, scenario } from "./support/scenario.ts";
import { SimClock } from "./support/simClock.ts";

/** A JWT that ends then, by the simulated clock; nobody looks at its signature. */
function makeToken(name: string, endsInMs: number): string {
  const claims = { sub: name, exp: (startMs + endsInMs) / 1_000 };
  return `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
}

const changes = 100;
const betweenMs = 10;
const startMs = new SimClock().now();

/** The token of each `hello` and `auth` of a connection, in order. */
const told = (connection: Scenario["server"]["last"]): unknown[] =>
  connection.received.flatMap((message) =>
    message.type === "hello" || message.type === "auth" ? [(message as { token?: unknown }).token] : [],
  );

/** One change each 10 ms: HTTP was refused with the one before, the network came, the page is seen. */
async function storm(world: Scenario, next: (index: number) => string): Promise<string> {
  let last = "";
  const asked: Promise<unknown>[] = [];
  for (let index = 1; index <= changes; index += 1) {
    const before = last;
    last = next(index);
    asked.push(world.session.token(before === "" ? undefined : before).catch(() => null));
    world.session.hint("online");
    world.session.hint("visible");
    await world.clock.advance(betweenMs);
  }
  await Promise.all([...asked, world.clock.advance(3_000)]);
  return last;
}

it.each([
  ["while it is live", 100],
  ["while the first socket opens", 0],
])(
  "[F08] [CL-7] a hundred tokens in a second with online and visible, %s: one socket, and the last token wins",
  async (_when, aheadMs) => {
    let current = makeToken("0", 600_000);
    const world = scenario({ getToken: async () => current });
    const { clock, server, session } = world;
    await clock.advance(aheadMs);
    const last = await storm(world, (index) => {
      current = makeToken(String(index), 600_000 + index * 1_000);
      return current;
    });
    expect(server.connections).toHaveLength(1);
    expect(server.living).toHaveLength(1);
    expect(session.state.kind).toBe("live");
    expect(await session.token()).toBe(last);

    // Whatever is asked for next is asked for with it: in the session, and by another socket.
    server.send(server.last, { type: "expiring", in: 30_000 });
    await clock.advance(10_000);
    expect(told(server.last).at(-1)).toBe(last);
    server.cut();
    await clock.advance(40_000);
    expect(server.connections).toHaveLength(2);
    expect(told(server.last)[0]).toBe(last);
  },
);
