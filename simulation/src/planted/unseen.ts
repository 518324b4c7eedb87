/**
 * Bugs that nobody could see, each with the reason: another line of defence hides it from everybody, so no seed catches it.
 *
 * `npm run sim:planted` names them and counts them nowhere; `--unseen` runs them. One that is caught belongs in the
 * list of the way on which it lies.
 */
import type { Bug } from "./bug.ts";

export const unseen: readonly (Bug & { readonly unseen: string })[] = [
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
    unseen:
      "no second claim ever comes from the current generation: a cursor is stored before it is acted on, and an older process is fenced before its claim is judged.",
    madeBlind: true,
  },
  {
    id: "epoch-only-beyond-head",
    file: "packages/server/src/gateway/subscriptions.ts",
    find: "  if (cursor.epoch !== position.epoch) return",
    replace: "  if (cursor.epoch !== position.epoch && cursor.offset > position.head) return",
    what: "A cursor of another history is honoured as long as its offset exists.",
    knownAs: "epoch ignored",
    unseen: "the client compares the epoch itself, and starts anew as if it had been told.",
    madeBlind: true,
  },
];
