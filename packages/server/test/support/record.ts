/** A connection that ended after a while, for whoever judges such. */
import { closeCodes } from "@holdfast/protocol";
import type { ConnectionRecord } from "../../src/observe/connectionRecord.ts";

export const record: ConnectionRecord = {
  connection: "c",
  node: "n",
  at: 0,
  address: "192.0.2.7",
  phases: { hello: 10, admitted: 20, welcomed: 50 },
  messagesIn: 1,
  bytesIn: 100,
  messagesOut: 2,
  bytesOut: 300,
  handlingMs: { sum: 1, longest: 1 },
  errors: {},
  durationMs: 90_000,
  code: closeCodes.lost,
  reason: "",
  expected: false,
};
