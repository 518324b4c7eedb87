/**
 * Several readers of one stream share a subscription, and nothing of one is told to another.
 *
 * Seen red: [ST-6] with the cursor as far as it was handed over; [ST-2] with a reset for all who read.
 */
import { describe, expect, it } from "vitest";
import { reader, scenario } from "./support/scenario.ts";

describe("several readers", () => {
  it("[ST-6] moves the cursor that the program sees with its own state: never ahead of what was applied", async () => {
    const { clock, server, session } = scenario();
    const cursors: (readonly [string, number | undefined, number])[] = [];
    const applied = { one: 0, two: 0 };
    let throws = 0;
    /** What a program would store, whenever it is called. */
    const look = (why: string): void => {
      // What is left out counts as applied.
      cursors.push([`${why}: one`, one.cursor?.offset ?? 0, Math.max(applied.one, throws === 2 ? 3 : 0)]);
      cursors.push([`${why}: two`, two.cursor?.offset ?? 0, applied.two]);
    };
    const one = session.subscribe("s", {
      from: "start",
      onEvents(events) {
        look("handler of one");
        if (events.some(({ data }) => data === 3)) {
          throws += 1;
          throw new Error("cannot fold 3");
        }
        applied.one = events.at(-1)?.offset ?? 0;
      },
      onStatus: ({ kind }) => look(`${kind} of one`),
      onError: (_error, { skip }) => skip(),
    });
    const two = session.subscribe("s", {
      from: "start",
      onEvents(events) {
        look("handler of two");
        applied.two = events.at(-1)?.offset ?? 0;
      },
      onStatus: ({ kind }) => look(`${kind} of two`),
    });
    server.append("s", 1, 2, 3, 4);
    await clock.advance(500);
    server.append("s", 5);
    await clock.advance(500);
    // Together with others, then alone.
    expect([applied, throws]).toEqual([{ one: 5, two: 5 }, 2]);
    expect(cursors.length).toBeGreaterThan(10);
    expect(cursors.filter(([, cursor = 0, state]) => cursor > state)).toEqual([]);
    expect([one.cursor?.offset, two.cursor?.offset]).toEqual([5, 5]);
  });

  it("[ST-2] one of a former history is reset, and who stands in the present one is not", async () => {
    const { clock, server, session } = scenario();
    server.append("s", 1, 2, 3);
    const present = reader(session, "s");
    await clock.advance(100);
    const former = session.subscribe("s", {
      from: { epoch: "former", offset: 1 },
      onEvents: () => {},
      onReset: ({ reason }) => void resets.push(reason),
    });
    const resets: string[] = [];
    await clock.advance(100);
    server.append("s", 4);
    await clock.advance(5_000);
    expect([resets, present.resets, present.items]).toEqual([["epoch"], [], [1, 2, 3, 4]]);
    expect([former.status.kind, former.cursor?.offset]).toEqual(["live", 4]);
  });

  it("[ST-2] one whose beginning is gone is reset, and who stands above it reads on from its own cursor", async () => {
    const { clock, server, session } = scenario();
    server.append("s", 1, 2, 3, 4, 5, 6);
    server.trimmedThrough = 2;
    const { epoch } = server.stream("s");
    const seen = [1, 4].map((offset) => {
      const told = { items: [] as unknown[], resets: [] as string[] };
      session.subscribe("s", {
        from: { epoch, offset },
        onEvents: (events) => void told.items.push(...events.map(({ data }) => data)),
        onReset: ({ reason }) => void told.resets.push(reason),
      });
      return told;
    });
    await clock.advance(5_000);
    server.append("s", 7);
    await clock.advance(5_000);
    expect(seen).toEqual([
      { items: [7], resets: ["trimmed"] },
      { items: [5, 6, 7], resets: [] },
    ]);
  });
});
