/** What the page is told of its connection, and how often. */
import { expect, it } from "vitest";
import { ConnectionStore, countsEachMs } from "../../src/shared/data/connectionStore.ts";
import { FakeSession } from "../support/fakeSession.ts";

function make() {
  const session = new FakeSession();
  const timers: { ms: number; run: () => void }[] = [];
  const clock = {
    now: () => 0,
    after: (ms: number, run: () => void) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const store = new ConnectionStore(session, clock);
  const stop = store.start();
  let told = 0;
  store.onChange(() => {
    told += 1;
  });
  const count = (applied: number): void => {
    session.statistics = { ...session.statistics, applied };
    session.changed();
  };
  return { session, store, stop, timers, count, told: () => told };
}

it("counts that rise with each event are told together, the newest of them, and cost nobody a timer afterwards", () => {
  const { store, timers, count, told, stop } = make();
  for (let applied = 1; applied <= 100; applied += 1) count(applied);
  expect([told(), timers.map(({ ms }) => ms)]).toEqual([0, [countsEachMs]]);
  timers.pop()?.run();
  expect([told(), store.view().statistics.applied, timers]).toEqual([1, 100, []]);
  count(101);
  stop();
  expect(timers).toEqual([]);
});

it("another state, user or outbox is told at once, with the counts of that moment", () => {
  const { session, store, timers, count, told } = make();
  count(7);
  session.outbox = 1;
  session.changed();
  expect([told(), store.view().outbox, store.view().statistics.applied, timers]).toEqual([1, 1, 7, []]);
  session.state = { kind: "offline" };
  session.changed();
  expect([told(), store.view().state.kind]).toEqual([2, "offline"]);
  // A copy that says the same is no news.
  session.state = { kind: "offline" };
  session.changed();
  expect(told()).toBe(2);
});
