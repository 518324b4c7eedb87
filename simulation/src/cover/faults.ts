/**
 * The classes of faults, each with the count of times that it took effect.
 *
 * Planned is not felt: a cut of a link that nobody uses did nothing. Whoever makes a fault says here when something
 * was really different because of it; a class that no run of a whole campaign felt fails the campaign.
 */

export const faultClasses = [
  "cut",
  "cutSeenByOneSide",
  "halfOpenUp",
  "halfOpenDown",
  "latency",
  "slowReader",
  "stalledReader",
  "unreachable",
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
  "rollback",
  "failover",
  "busLoss",
  "busDuplication",
  "busReordering",
  "clockSkew",
  "clockJump",
  "sleep",
  "throttledTimers",
  "tokenExpired",
  "issuerUnreachable",
  "revoked",
  "identityChanged",
  "tabClosed",
  "reload",
  "storedReload",
  "leaderDied",
  "agentCrash",
  "agentCrashBeforeClaim",
  "agentCrashAfterClaim",
  "agentTwin",
  "poison",
  "unappliable",
  "hostileClient",
  "oldClient",
] as const;

export type FaultClass = (typeof faultClasses)[number];
