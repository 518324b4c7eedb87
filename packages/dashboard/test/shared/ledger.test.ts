/**
 * The ledger finds what a session must never do, made here by hand, and no fault where there is none.
 *
 * Seen red: with holes that count at once, with a late event that counts as repeated, with an event that counts although
 * its handler threw.
 */
import type { AppliedEvent, SubscribeOptions } from "@holdfast/client";
import { expect, it } from "vitest";
import { withLedger } from "../../src/shared/data/ledger.ts";

const sound = { lost: 0, repeated: 0, reordered: 0, unchecked: 0 };

function makeReader(from: SubscribeOptions["from"] = "latest") {
  const opened: SubscribeOptions[] = [];
  let gone = 0;
  const leave = (): void => {
    gone += 1;
  };
  const { session, ledger } = withLedger({
    subscribe: (stream: string, options: SubscribeOptions) => {
      opened.push(options);
      return { stream, status: { kind: "live" as const }, cursor: undefined, unsubscribe: leave };
    },
  });
  let fails = false;
  session.subscribe("log", {
    from,
    onSnapshot: () => {},
    onEvents: () => {
      if (fails) throw new Error("as asked");
    },
  });
  const give = (index: number, ...runs: readonly (readonly [number, number])[]): void => {
    const events = runs.map(
      ([offset, through]): AppliedEvent => ({ stream: "log", offset, through, at: 1, event: "said", data: {} }),
    );
    const [, last = 0] = runs.at(-1) ?? [];
    opened[index]?.onEvents(events, { cursor: { epoch: "e", offset: last }, head: last });
  };
  return {
    ledger,
    opened,
    give,
    gone: () => gone,
    fail: (now: boolean): void => {
      fails = now;
    },
  };
}

it("[I1] says nothing where each offset came once, in order, from snapshot, cursor or start", () => {
  for (const from of ["latest", "start", { epoch: "e", offset: 4 }] as const) {
    const { ledger, opened, give } = makeReader(from);
    if (from === "latest") opened[0]?.onSnapshot?.({}, { cursor: { epoch: "e", offset: 4 }, head: 4 });
    give(0, [5, 5], [6, 9]);
    give(0, [10, 10]);
    expect(ledger.lines()).toEqual([{ stream: "log", through: 10, ...sound }]);
  }
});

it("counts what came twice and what came late", () => {
  const { ledger, give } = makeReader({ epoch: "e", offset: 0 });
  give(0, [1, 3], [2, 3]);
  expect(ledger.totals()).toMatchObject({ ...sound, repeated: 2 });
  give(0, [6, 6], [4, 4]);
  expect(ledger.totals()).toMatchObject({ ...sound, repeated: 2, reordered: 1, unchecked: 1 });
});

it("asks again for what was passed over: lost where it is there, nothing where it was removed", () => {
  const { ledger, opened, give, gone } = makeReader({ epoch: "e", offset: 0 });
  give(0, [1, 1], [5, 5]);
  expect(ledger.totals()).toMatchObject({ ...sound, unchecked: 3 });
  expect(opened[1]?.from).toEqual({ epoch: "e", offset: 1 });
  give(1, [3, 3], [5, 5]);
  expect(ledger.totals()).toMatchObject({ ...sound, lost: 1 });
  give(0, [9, 9]);
  give(2, [9, 9]);
  expect(ledger.totals()).toMatchObject({ ...sound, lost: 1 });
  return Promise.resolve().then(() => expect(gone()).toBe(2));
});

it("[ST-6] counts what a handler has taken, so that a batch it threw at may come again", () => {
  const { ledger, give, fail } = makeReader({ epoch: "e", offset: 0 });
  fail(true);
  expect(() => give(0, [1, 2])).toThrow("as asked");
  fail(false);
  give(0, [1, 2]);
  expect(ledger.lines()).toEqual([{ stream: "log", through: 2, ...sound }]);
});

it("[ST-3] begins anew where the history did", () => {
  const { ledger, opened, give } = makeReader({ epoch: "e", offset: 40 });
  give(0, [41, 41]);
  opened[0]?.onReset?.({ reason: "epoch", lost: undefined });
  give(0, [3, 3]);
  expect(ledger.lines()).toEqual([{ stream: "log", through: 3, ...sound }]);
});
