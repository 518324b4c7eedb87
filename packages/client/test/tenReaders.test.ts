/**
 * Ten readers of one stream, of whom one fails (F72): the failure is its own, and mends by itself once it can.
 *
 * Seen red: with a throw that takes all readers of its stream along.
 */
import { expect, it } from "vitest";
import { reader, scenario } from "./support/scenario.ts";

it("[F72] that is one of ten and throws costs the other nine nothing, and is whole once it can", async () => {
  const { clock, server, session } = scenario();
  const others = Array.from({ length: 9 }, () => reader(session, "s"));
  const items: unknown[] = [];
  const decisions: { retry(): void; skip(): void }[] = [];
  session.subscribe("s", {
    from: "start",
    onEvents(events) {
      if (decisions.length < 3 && events.some((event) => event.data === 5)) throw new Error("not now");
      for (const event of events) items.push(event.data);
    },
    onError: (_error, decide) => void decisions.push(decide),
  });
  const all = Array.from({ length: 20 }, (_, index) => index + 1);
  for (const item of all) {
    server.append("s", item);
    await clock.advance(10);
  }
  for (const other of others) expect(other.items).toEqual(all);
  expect(items).toEqual([1, 2, 3, 4]);
  while (decisions.length < 3) {
    decisions.at(-1)?.retry();
    await clock.advance(100);
  }
  decisions.at(-1)?.retry();
  await clock.advance(100);
  expect(items).toEqual(all);
  for (const other of others) expect(other.items).toEqual(all);
});
