/**
 * The log as pieces of frames, joined by SQLite itself: a third of the time that fetching the rows takes, and none of
 * their garbage on the heap of the reader's thread.
 *
 * Each piece is two statements over the same range of offsets: what it would weigh, which looks at the columns' lengths
 * only, and its JSON as one blob. Invariants: a piece is asked for only once it is known to be no heavier than
 * `pieceBytesMax`, or one event; its offsets are without a gap. Both statements see one moment, since the caller has a
 * transaction. It deliberately reads nothing where an offset is missing: who names gaps is `runs.ts`.
 */
import type { StatementSync } from "node:sqlite";
import type { Dialect } from "../dialect.ts";
import type { EncodedPiece } from "../port.ts";

/** Where nothing is known of a stream yet. */
const firstGuessEvents = 64;
/** How much of a piece's size is aimed at, since events differ. */
const aimedShare = 0.95;
/** What the JSON of an event has beside its texts: names, time, braces, a comma; with a scope. */
const eventOverheadBytes = 64;

const weigh = `select count(*), max("offset"),
  coalesce(sum(octet_length(data) + octet_length(event) + coalesce(octet_length(keyframe), 0) + ${eventOverheadBytes}), 0)
  from events where stream = ? and "offset" > ? and "offset" <= ?`;
/** The limit keeps the inner query one of its own, and so its order; `order by` within the aggregate sorts, and costs half as much again. */
const join = `select cast(group_concat(json) as blob) from (
  select '{"event":' || json_quote(event) || ',"at":' || at || ',"data":' || data ||
    case when keyframe is null then '}' else ',"keyframe":' || json_quote(keyframe) || '}' end as json
  from events where stream = ? and "offset" > ? and "offset" <= ? order by "offset" limit -1)`;

interface Stream {
  readonly id: number;
  readonly head: number;
}

/** As {@link Dialect.readPieces} says, of a stream that exists. */
export function readPieces(
  prepare: (text: string) => StatementSync,
  stream: Stream,
  offset: number,
  bounds: Parameters<Dialect["readPieces"]>[3],
): readonly EncodedPiece[] | undefined {
  const weighed = prepare(weigh);
  weighed.setReturnArrays(true);
  const joined = prepare(join);
  joined.setReturnArrays(true);
  const pieces: EncodedPiece[] = [];
  let guess = firstGuessEvents;
  let bytes = 0;
  let last = offset;
  while (last < stream.head && last - offset < bounds.eventsMax && bytes < bounds.bytesMax) {
    const eventsMax = bounds.eventsMax - (last - offset);
    const range = rangeAfter(weighed, stream, last, Math.min(guess, eventsMax), eventsMax, bounds.pieceBytesMax);
    if (range === undefined) return undefined;
    const [piece] = joined.get(stream.id, last, last + range.events) as unknown as [Uint8Array<ArrayBuffer>];
    pieces.push({ bytes: piece, span: range.events });
    bytes += piece.length;
    last += range.events;
    guess = fitting(range, bounds.pieceBytesMax);
  }
  return pieces;
}

interface Range {
  readonly events: number;
  readonly bytes: number;
}

/** The events right after `last` that fill a piece; undefined where one is missing. */
function rangeAfter(
  weighed: StatementSync,
  { id, head }: Stream,
  last: number,
  guess: number,
  eventsMax: number,
  bytesMax: number,
): Range | undefined {
  let asked = Math.min(guess, head - last);
  let hasGrown = false;
  for (;;) {
    const [events, through, bytes] = weighed.get(id, last, last + asked) as unknown as [number, number | null, number];
    if (events !== asked || through !== last + asked) return undefined;
    const range = { events, bytes };
    const fits = Math.min(fitting(range, bytesMax), eventsMax, head - last);
    if (bytes > bytesMax && events > 1) asked = Math.min(events - 1, fits);
    else if (!hasGrown && fits > 2 * events) {
      // A first guess that was far too small; once, since what comes next may be heavier.
      hasGrown = true;
      asked = fits;
    } else return range;
  }
}

/** How many events like these fill a piece. */
function fitting({ events, bytes }: Range, bytesMax: number): number {
  return Math.max(1, Math.floor((events * bytesMax * aimedShare) / bytes));
}
