/**
 * Ten times as many requests as a session keeps (F71): what does not fit is refused at once and by name, what fits is sent
 * once there is a connection, each once and in its order; memory is bounded by what fits.
 *
 * Seen red: without the bound of the outbox. In shared tabs the tab's bound and its host's are two, and either holds alone.
 */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { outboxEntriesMax } from "../src/core/limits.ts";
import type { Session } from "../src/index.ts";
import { durableScenario, scenario } from "./support/scenario.ts";
import type { SimClock } from "./support/simClock.ts";
import { TabsWorld } from "./support/tabsWorld.ts";

const asked = 10 * outboxEntriesMax;
const options = { timeout: 120_000 };

interface Outcomes {
  readonly done: number[];
  readonly refused: number[];
}

/** Asks ten times as much as fits, with no connection. */
async function overfill(session: Session, clock: SimClock): Promise<Outcomes> {
  const outcomes: Outcomes = { done: [], refused: [] };
  for (let n = 1; n <= asked; n += 1)
    session.call("do", { n }, options).then(
      () => outcomes.done.push(n),
      (error: unknown) => {
        if (error instanceof ProtocolError && error.code === "queue_full") outcomes.refused.push(n);
      },
    );
  await clock.advance(100);
  return outcomes;
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a session without a connection that is asked ten times what it keeps", () => {
  it.each([
    ["a plain one", scenario],
    ["one that keeps its requests", durableScenario],
  ] as const)("[F71] %s refuses the rest by name, and sends what fits once, in order", async (_, make) => {
    const { session, server, clock } = make({}, (prepared) => {
      prepared.refusesUpgrade = true;
    });
    const outcomes = await overfill(session, clock);
    expect(session.outbox).toBe(outboxEntriesMax);
    expect(outcomes.refused).toEqual(numbers(outboxEntriesMax + 1, asked));
    server.refusesUpgrade = false;
    session.reconnect();
    await clock.advance(30_000);
    const wanted = numbers(1, outboxEntriesMax);
    expect(server.effects.map(({ params }) => (params as { n: number }).n)).toEqual(wanted);
    expect(outcomes.done).toEqual(wanted);
  });

  it("[F71] a tab refuses the rest by name, and the host sends what fits once, in order", async () => {
    const world = new TabsWorld();
    world.server.refusesUpgrade = true;
    const tab = world.open("worker");
    await world.clock.advance(100);
    const outcomes = await overfill(tab.session, world.clock);
    expect(outcomes.refused).toEqual(numbers(outboxEntriesMax + 1, asked));
    world.server.refusesUpgrade = false;
    tab.session.reconnect();
    await world.clock.advance(30_000);
    const wanted = numbers(1, outboxEntriesMax);
    expect(world.server.effects.map(({ params }) => (params as { n: number }).n)).toEqual(wanted);
    expect(outcomes.done).toEqual(wanted);
  });
});
