/** Seen red: with the ring read from its start. */
import { expect, it } from "vitest";
import type { ConnectionRecord } from "../../src/observe/connectionRecord.ts";
import { createRecentRecords } from "../../src/observe/recentRecords.ts";

const record = (connection: number): ConnectionRecord => ({ connection: String(connection) }) as ConnectionRecord;

it.each([0, 1, 3, 4, 7, 8, 9])("after %i records it has the newest four, newest first", (count) => {
  const recent = createRecentRecords(4);
  for (let index = 1; index <= count; index += 1) recent.add(record(index));
  const all = Array.from({ length: Math.min(4, count) }, (_, back) => String(count - back));
  expect(recent.newest(10).map(({ connection }) => connection)).toEqual(all);
  expect(recent.newest(2)).toHaveLength(Math.min(2, count));
});
