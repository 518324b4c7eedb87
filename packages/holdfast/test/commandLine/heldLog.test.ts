/** What is logged before it is known whether the command starts. */
import { expect, it } from "vitest";
import { heldRecordsMax, holdLog } from "../../src/commandLine/heldLog.ts";
import { makeCollectedLog } from "../support/collectedLog.ts";

it("writes what it held in order, then everything at once", () => {
  const below = makeCollectedLog();
  const log = holdLog(below);
  log.info("first", { n: 1 });
  log.error("second");
  expect(below.events).toEqual([]);
  log.release();
  log.warn("third");
  log.release();
  expect(below.events.map(({ level, event }) => [level, event])).toEqual([
    ["info", "first"],
    ["error", "second"],
    ["warn", "third"],
  ]);
});

it("holds no more than its bound", () => {
  const below = makeCollectedLog();
  const log = holdLog(below);
  for (let n = 1; n < heldRecordsMax; n += 1) log.info("line");
  expect(below.events).toHaveLength(0);
  log.info("line");
  expect(below.events).toHaveLength(heldRecordsMax);
});
