/**
 * Bugs that the simulation was not yet seen to catch, each with the reason: its known holes.
 *
 * `npm run sim:planted` names them and counts them nowhere; `--unseen` runs them. One that is caught belongs in the
 * list of the way on which it lies.
 */
import type { Bug } from "./bug.ts";

export const unseen: readonly (Bug & { readonly unseen: string })[] = [
  {
    id: "beyond-head-believed",
    file: "packages/server/src/gateway/subscriptions.ts",
    find: "  const stored = await context.hub.storedPosition(workspace, stream);\n  if (stored !== null && stored.epoch === cursor.epoch && cursor.offset <= stored.head) return undefined;",
    replace:
      "  const stored = await context.hub.storedPosition(workspace, stream);\n  if (stored !== null && stored.epoch === cursor.epoch) return undefined;",
    what: "A cursor beyond the head of the store is taken for one of another node's newest events.",
    knownAs: "epoch ignored after a rollback",
    unseen: "A store that is put back has new epochs here, as `holdfast restore` gives them.",
    madeBlind: false,
  },
  {
    id: "cursor-after-apply",
    file: "packages/client/src/core/subscriber.ts",
    find: "    if (stopped.single) subscriber.cursor = stopped.skipTo;\n",
    replace: "    if (stopped.single) subscriber.isolateThrough = stopped.skipTo.offset - 1;\n",
    what: "The event that the application chose to skip is not passed by its cursor.",
    knownAs: "poison that blocks",
    unseen: "Handlers that throw are given the same again, and never told to skip.",
    madeBlind: false,
  },
  {
    id: "rate-by-wall-clock",
    file: "packages/server/src/gateway/flow.ts",
    find: "    const now = this.#clock.monotonic();",
    replace: "    const now = this.#clock.now();",
    what: "The rate of messages is measured with a clock that may be set back.",
    knownAs: "timers by wall clock; F60",
    unseen: "A clock that is set back under a connection that is near its limit is too rare.",
    madeBlind: true,
  },
  {
    id: "no-grace-after-sleep",
    file: "packages/client/src/core/living.ts",
    find: "    if (!awaiting.isGraced && now - awaiting.deadlineMs > limits.lateTimerMs)",
    replace: "    if (!awaiting.isGraced && now < awaiting.deadlineMs)",
    what: "A deadline that passed while the machine slept is judged before the answer that waits in the socket is read.",
    knownAs: "F60",
    unseen: "A sleep between a ping and its pong is too rare.",
    madeBlind: true,
  },
  {
    id: "keyframe-without-scope",
    file: "packages/control/src/grammar.ts",
    find: '  if (event.event === "message.finished") return messageScope(event.data.message);\n  return undefined;\n}\n\n/** The scope of what',
    replace:
      '  if (event.event === "message.finished") return messageScope("any");\n  return undefined;\n}\n\n/** The scope of what',
    what: "All messages share one keyframe, so retention removes every message but the last.",
    knownAs: "keyframe without scope",
    unseen: "Threads outlive a run: retention never comes to their keyframes.",
    madeBlind: true,
  },
  {
    id: "old-ack-counts",
    file: "packages/server/src/store/sqlite/dialect.ts",
    find: 'where workspace = ? and name = ? and epoch = ? and head >= ?",',
    replace: 'where workspace = ? and name = ? and epoch = epoch and length(?) > 0 and head >= ?",',
    what: "An acknowledgement of a lost history counts for the new one.",
    knownAs: "ack of the wrong stream",
    unseen:
      "no person can see it: what the agent does not open is handed over again when it says what it has open (`control/returns.ts`).",
    madeBlind: true,
  },
  {
    id: "claimed-twice",
    file: "packages/control/src/commandStates.ts",
    find: "  started: {\n    dispatch: null,\n    dispatchAgain: null,\n    claim: null,",
    replace: '  started: {\n    dispatch: null,\n    dispatchAgain: null,\n    claim: "started",',
    what: "A second claim of a command is accepted like a repeat of the first.",
    knownAs: "PB-5",
    unseen: "It needs a second delivery of a command that a process claimed before it died.",
    madeBlind: true,
  },
  {
    id: "late-close-of-old-socket",
    file: "packages/control/src/presenceTasks.ts",
    find: "  return change.from.includes(agent.connection) && agent.status !== change.to;",
    replace: "  return agent.status !== change.to;",
    what: "The end of an older connection sets an agent offline that has come back over a newer one.",
    knownAs: "X6",
    unseen: "Not within the seeds that were run: what it needs is rare.",
    madeBlind: true,
  },
];
