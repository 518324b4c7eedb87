/**
 * REL-I9: offsets are contiguous from 1 and are never used twice within an epoch; an epoch never comes back.
 *
 * It also keeps the logs' books, since what it judges is exactly how they may grow: by the next offset, by a new
 * epoch over a beginning, by removal. Offsets that a rollback freed may be used again only under a new epoch where
 * somebody was told of them, which is judged at the reader (`contiguousReading`), not here.
 */
import type { Fail, Invariant } from "../invariant.ts";
import { cut, type Fold, type Logs, nameOf, remove } from "../logs.ts";

export function epochs(
  logs: Logs,
  foldOf: (workspace: string, stream: string) => Fold | undefined,
  fail: Fail,
): Invariant {
  return {
    on: {
      committed({ workspace, stream, epoch, offset, content }) {
        const log = logs.of(workspace, stream);
        if (log.epoch === "") log.epoch = epoch;
        if (epoch !== log.epoch) {
          fail("REL-I9", `${nameOf(log)} got offset ${offset} under epoch ${epoch}, its epoch is ${log.epoch}`);
        }
        const head = log.contents.length;
        if (offset !== head + 1) {
          fail("REL-I9", `${nameOf(log)} got offset ${offset} over its head ${head}`, {
            harm: offset <= head ? "reordered" : "silentGaps",
            context: { epoch, content, former: log.contents[offset - 1] },
          });
          return;
        }
        log.contents.push(content);
        const fold = log.states === undefined ? undefined : foldOf(workspace, stream);
        if (fold !== undefined) log.states?.push(fold.next(log.states.at(-1) ?? fold.initial, content));
      },
      epochBegan({ workspace, stream, epoch, head }) {
        const log = logs.of(workspace, stream);
        if (epoch === log.epoch || log.formerEpochs.has(epoch)) {
          fail("REL-I9", `${nameOf(log)} began epoch ${epoch}, which it had before`);
        }
        if (head > log.contents.length) {
          fail("REL-I9", `${nameOf(log)} began an epoch with head ${head}, it had ${log.contents.length}`);
        }
        if (log.epoch !== "") log.formerEpochs.add(log.epoch);
        cut(log, head);
        log.epoch = epoch;
      },
      rolledBack({ workspace, stream, head }) {
        cut(logs.of(workspace, stream), head);
      },
      removed({ workspace, stream, offset, through }) {
        remove(logs.of(workspace, stream), offset, through);
      },
    },
  };
}
