/**
 * REL-I18 (ST-9): a snapshot, and what an application shows, is the fold of the log up to its offset.
 *
 * The fold is the judge's own, given for a stream where one is defined, and compared by fingerprint. A state at an
 * offset that a rollback took cannot be compared any more and passes.
 */
import type { Fail, Invariant } from "../invariant.ts";
import { type Fold, nameOf } from "../logs.ts";
import type { Readers } from "../readers.ts";

export function honestState(
  readers: Readers,
  foldOf: (workspace: string, stream: string) => Fold | undefined,
  fail: Fail,
): Invariant {
  const compare = (name: string, what: string, epoch: string, offset: number, state: string): void => {
    const reader = readers.of(name);
    if (reader?.log.states === undefined) return;
    const { log } = reader;
    if (log.ghosts.some((ghosts) => ghosts.epoch === epoch && offset >= ghosts.offset)) return;
    const wanted = offset === 0 ? foldOf(log.workspace, log.stream)?.initial : log.states?.[offset - 1];
    if (wanted === state) return;
    fail("REL-I18", `${name} ${what} ${nameOf(log)} at ${offset} as ${state}, the fold of the log is ${wanted}`);
  };
  return {
    on: {
      snapshotTold({ reader, epoch, offset, state }) {
        if (state !== undefined) compare(reader, "was given a snapshot of", epoch, offset, state);
      },
      shown: ({ reader, epoch, offset, state }) => compare(reader, "shows", epoch, offset, state),
    },
  };
}
