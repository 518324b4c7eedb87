/**
 * The pairs of protocol state and fault that a whole campaign must have met, each at least once.
 *
 * A fault that never met a page in the middle of coming back has not been tried against it, however often it
 * struck. The states are what a session shows (CL-11), and of a node what it has under way.
 */
import type { FaultClass } from "./faults.ts";

const ofSessions: readonly (readonly [state: string, faults: readonly FaultClass[]])[] = [
  ["connecting", ["cut", "halfOpenUp", "halfOpenDown", "serverCrash", "unreachable", "sleep", "reload", "storeError"]],
  ["authenticating", ["issuerUnreachable", "serverCrash", "storeError"]],
  [
    "catchingUp",
    ["cut", "cutSeenByOneSide", "serverCrash", "storeError", "storeHang", "unknownCommit", "slowReader", "reload"],
  ],
  [
    "live",
    [
      "cut",
      "cutSeenByOneSide",
      "halfOpenUp",
      "halfOpenDown",
      "latency",
      "slowReader",
      "stalledReader",
      "serverCrash",
      "crashBeforeCommit",
      "crashBetweenCommitAndAnswer",
      "crashAmongAnswers",
      "serverStopped",
      "drain",
      "storeError",
      "storeSlow",
      "storeHang",
      "diskFull",
      "unreadableTable",
      "unknownCommit",
      "clockJump",
      "sleep",
      "throttledTimers",
      "tabClosed",
      "reload",
      "poison",
      "unappliable",
      "rollback",
      "failover",
    ],
  ],
  ["degraded", ["cut", "serverCrash", "storeError", "storeHang", "drain", "reload"]],
  ["waiting", ["serverCrash", "issuerUnreachable", "storeError", "sleep", "tabClosed", "reload", "clockJump", "drain"]],
];

export const listedPairs: readonly string[] = ofSessions.flatMap(([state, faults]) =>
  faults.map((fault) => `${state} × ${fault}`),
);
