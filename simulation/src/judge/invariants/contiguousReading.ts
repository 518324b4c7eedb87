/**
 * I1 (REL-I2, REL-I3, REL-I4, REL-I5): what a reader applies is a contiguous run of the log. No loss, no repeat, no
 * reordering, nothing that is not durable; a reset or a snapshot is the only way to jump, and the application knows.
 *
 * The next event must be the one after the last, of the same epoch, with the content that the log has there. A jump
 * needs `resetTold`, `snapshotTold` or `passedOver`, each of which must itself be justified: a reset by a new epoch, a
 * rollback or a removed event; a `skipped` range by the removal of each event in it.
 */
import type { BreachDetails, Fail, Invariant } from "../invariant.ts";
import { areRemoved, areReplaced, contentOf, isGhost, type Log, nameOf } from "../logs.ts";
import type { Observed } from "../observation.ts";
import { judgeRollbacks, placeOf, type Reader, type Readers } from "../readers.ts";
import type { InvariantId } from "../violation.ts";

export function contiguousReading(readers: Readers, fail: Fail): Invariant {
  const known = (name: string, what: string): Reader | undefined => {
    const reader = readers.of(name);
    if (reader === undefined) fail("I1", `${name} was given ${what}, but nobody opened it, or it was closed before`);
    return reader;
  };
  return {
    on: {
      readerOpened: (observation) => opened(readers, observation, fail),
      readerClosed: ({ reader }) => readers.remove(reader),
      readerRefused({ reader }) {
        const found = readers.of(reader);
        if (found !== undefined) found.isRefused = true;
      },
      clientEnded({ client }) {
        for (const [name, reader] of readers.open) if (reader.client === client) readers.remove(name);
      },
      delivered(observation) {
        const reader = known(observation.reader, `offset ${observation.offset}`);
        if (reader !== undefined) delivered(reader, observation, fail);
      },
      passedOver(observation) {
        const reader = known(observation.reader, `a jump over ${observation.offset} … ${observation.through}`);
        if (reader !== undefined) passedOver(reader, observation, fail);
      },
      resetTold(observation) {
        const reader = known(observation.reader, `a reset (${observation.reason})`);
        if (reader !== undefined) resetTold(reader, observation, fail);
      },
      snapshotTold(observation) {
        const reader = known(observation.reader, `a snapshot at ${observation.offset}`);
        if (reader !== undefined) snapshotTold(reader, observation, fail);
      },
      positioned(observation) {
        const reader = known(observation.reader, `a cursor of ${observation.offset}`);
        if (reader !== undefined) positioned(reader, observation, fail);
      },
      stored({ reader: name, name: key, epoch, offset }) {
        const reader = known(name, `storage ${key}`);
        if (reader === undefined) return;
        if (!reader.isFree && (epoch !== reader.epoch || offset !== reader.offset)) {
          fail("I1", `${placeOf(reader)} stored the cursor ${epoch}:${offset} with its state`, {
            harm: offset < reader.offset ? "repeated" : "lost",
          });
        }
        readers.stored.set(key, { epoch, offset });
      },
    },
  };
}

function opened(readers: Readers, observation: Observed<"readerOpened">, fail: Fail): void {
  const { reader: name, client, workspace, stream, from, stored } = observation;
  if (readers.of(name) !== undefined) fail("I1", `${name} was opened twice: a reader's name is its own for ever`);
  const cursor = typeof from === "object" ? from : undefined;
  readers.add({
    name,
    client,
    workspace,
    stream,
    epoch: cursor?.epoch,
    offset: cursor?.offset ?? 0,
    isFree: from === "latest",
    isAtStart: from === "start",
  });
  if (stored === undefined) return;
  const kept = readers.stored.get(stored);
  if (kept?.epoch === cursor?.epoch && kept?.offset === cursor?.offset) return;
  const was = kept === undefined ? "nothing" : `${kept.epoch}:${kept.offset}`;
  fail("I1", `${name} began from ${cursor?.epoch}:${cursor?.offset}, but ${stored} had kept ${was} with the state`, {
    harm: (cursor?.offset ?? 0) < (kept?.offset ?? 0) ? "repeated" : "lost",
  });
}

function delivered(reader: Reader, observation: Observed<"delivered">, fail: Fail): void {
  const { epoch, offset, content } = observation;
  const through = observation.through ?? offset;
  judgeRollbacks(reader);
  const next = reader.offset + 1;
  const breach = (id: InvariantId, message: string, harm: NonNullable<BreachDetails["harm"]>): void =>
    fail(id, `${placeOf(reader)} was given ${epoch}:${offset}${through === offset ? "" : `…${through}`}: ${message}`, {
      harm,
      context: { content, log: contentOf(reader.log, offset, through), head: reader.log.contents.length },
    });

  if (!reader.isFree && reader.epoch !== undefined && epoch !== reader.epoch) {
    breach("I1", "another epoch, without a reset", "silentGaps");
  } else if (!reader.isFree && offset !== next && !isRemovedStart(reader, offset)) {
    if (offset > next) {
      breach("I1", `${offset - next} events are missing before it`, "silentGaps");
      reader.missed.push({ offset: next, through: offset - 1 });
    } else if (reader.missed.some((range) => offset >= range.offset && through <= range.through)) {
      breach("REL-I5", "it comes after later ones", "reordered");
    } else {
      breach("REL-I4", "it was applied before", "repeated");
    }
  }
  judgeContent(reader, observation, through, breach);
  moveTo(reader, epoch, through);
}

/** Late and repeated events leave the place as it is: what is missing next is judged against the farthest. */
function moveTo(reader: Reader, epoch: string, through: number): void {
  reader.offset = reader.isFree || epoch !== reader.epoch ? through : Math.max(reader.offset, through);
  reader.isFree = false;
  reader.isAtStart = false;
  reader.epoch = epoch;
}

/** What was delivered is what the log has there; or had, where a rollback took it while it was under way. */
function judgeContent(
  reader: Reader,
  { epoch, offset, content }: Observed<"delivered">,
  through: number,
  breach: (id: InvariantId, message: string, harm: NonNullable<BreachDetails["harm"]>) => void,
): void {
  const { log } = reader;
  const isOfLog = (epoch === log.epoch || log.formerEpochs.has(epoch)) && contentOf(log, offset, through) === content;
  if (isOfLog) {
    if (reader.isAhead) breach("I1", "a rollback took what it had, and it was not told to start anew", "silentGaps");
    return;
  }
  if (log.ghosts.length > 0 && isGhost(log, epoch, offset, content)) {
    reader.isAhead = true;
    return;
  }
  if (offset > log.contents.length) breach("REL-I2", "it is not durable", "phantom");
  else if (log.contents.includes(content)) breach("REL-I5", "the log has another event there", "reordered");
  else breach("REL-I2", "the log has another event there, and this one nowhere", "phantom");
}

/** ST-10: for `"start"` a removed beginning is where `subscribed` begins. */
function isRemovedStart(reader: Reader, offset: number): boolean {
  return reader.isAtStart && offset > 1 && areRemoved(reader.log, 1, offset - 1);
}

function passedOver(reader: Reader, observation: Observed<"passedOver">, fail: Fail): void {
  const { epoch, offset, through, why } = observation;
  const isNext = reader.isFree || isRemovedStart(reader, offset) || offset === reader.offset + 1;
  if (!isNext || (!reader.isFree && reader.epoch !== undefined && epoch !== reader.epoch)) {
    fail("I1", `${placeOf(reader)} was moved over ${epoch}:${offset}…${through}, which does not follow its place`, {
      harm: offset > reader.offset + 1 ? "silentGaps" : "repeated",
    });
  }
  if (why === "retention" && !areRemoved(reader.log, offset, through)) {
    fail("I1", `${placeOf(reader)} was moved over ${offset}…${through} as removed, but retention left some of it`, {
      harm: "silentGaps",
    });
  }
  // What it has of the beginning came before that went; what a keyframe stands for was gone already.
  const isUntold = areRemoved(reader.log, 1, through) && !areReplaced(reader.log, offset, through);
  if (why === "retention" && !reader.isFree && !reader.isAtStart && isUntold) {
    fail(
      "REL-I3",
      `${placeOf(reader)} was moved over ${offset}…${through}, a removed beginning, and not told (trimmed)`,
      {
        harm: "silentGaps",
      },
    );
  }
  moveTo(reader, epoch, through);
}

function resetTold(reader: Reader, { reason }: Observed<"resetTold">, fail: Fail): void {
  judgeRollbacks(reader);
  const { log } = reader;
  const isJustified =
    reason === "epoch"
      ? reader.isAhead || reader.epoch !== log.epoch || reader.offset > log.contents.length
      : isTrimmed(log, reader.offset);
  if (!isJustified && !reader.isFree) {
    fail("REL-I3", `${placeOf(reader)} was reset (${reason}) without cause: ${nameOf(log)} is at ${log.epoch}`, {
      context: { head: log.contents.length, formerEpochs: [...log.formerEpochs] },
    });
  }
  reader.isFree = true;
  // What follows starts anew as with "latest", whatever it had asked (ST-3).
  reader.isAtStart = false;
  reader.isAhead = false;
  reader.ghosts = log.ghosts.length;
}

/** Whether retention removed anything above a cursor, so that it may be past honouring. */
function isTrimmed(log: Log, offset: number): boolean {
  return log.removed.has(offset + 1);
}

function snapshotTold(reader: Reader, observation: Observed<"snapshotTold">, fail: Fail): void {
  const { epoch, offset } = observation;
  const { log } = reader;
  judgeRollbacks(reader);
  const isGhostly = log.ghosts.some((ghosts) => ghosts.epoch === epoch && offset >= ghosts.offset);
  if (offset > log.contents.length && !isGhostly) {
    fail("REL-I2", `${placeOf(reader)} was given a snapshot at ${epoch}:${offset}, which is not durable`, {
      harm: "phantom",
    });
  }
  if (!reader.isFree && (epoch !== reader.epoch || offset < reader.offset) && reader.epoch !== undefined) {
    fail("REL-I4", `${placeOf(reader)} was given a snapshot at ${epoch}:${offset}, behind its place`, {
      harm: "repeated",
    });
  }
  reader.isFree = false;
  reader.isAtStart = false;
  reader.epoch = epoch;
  reader.offset = offset;
  if (isGhostly && offset > log.contents.length) reader.isAhead = true;
}

function positioned(reader: Reader, { epoch, offset }: Observed<"positioned">, fail: Fail): void {
  if (reader.isFree || (reader.isAtStart && reader.offset === 0)) {
    if (offset > reader.log.contents.length && reader.log.ghosts.length === 0) {
      fail("I1", `${placeOf(reader)} says that it stands at ${epoch}:${offset}, beyond the head`, { harm: "phantom" });
    }
    if (reader.isAtStart && offset > 0 && !areRemoved(reader.log, 1, offset)) {
      fail("I1", `${placeOf(reader)} asked from the start and stands at ${epoch}:${offset} without its events`, {
        harm: "silentGaps",
      });
    }
  } else if ((reader.epoch !== undefined && epoch !== reader.epoch) || offset !== reader.offset) {
    fail("I1", `${placeOf(reader)} says that it stands at ${epoch}:${offset}`, {
      harm: offset > reader.offset ? "lost" : "repeated",
    });
  }
  reader.isFree = false;
  reader.epoch = epoch;
  reader.offset = offset;
}
