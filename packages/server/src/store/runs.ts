/**
 * From stored rows to a contiguous run: what retention removed is named, and consecutive events that the app
 * can join are rolled up (ST-10, ST-12). Pure.
 *
 * Invariant: the run covers every offset after the cursor up to its end exactly once, whatever is missing.
 */
import { limits } from "@holdfast/protocol";
import type { StreamFamily } from "../plugin.ts";
import type { StoredRows } from "./dialect.ts";
import type { EventRun, StoredEvent } from "./port.ts";

type Row = StoredRows["rows"][number];

/** The run after `offset`. */
export function toRun(offset: number, { rows, head, more }: StoredRows, rollUp: StreamFamily["rollUp"]): EventRun {
  const events: StoredEvent[] = [];
  let covered = offset;
  for (const row of rows) {
    if (row.offset > covered + 1) events.push(skipped(covered + 1, row.offset - 1, row.at));
    events.push(withoutOffset(row));
    covered = row.offset;
  }
  if (!more && covered < head) events.push(skipped(covered + 1, head, rows.at(-1)?.at ?? 0));
  return { offset: offset + 1, events: rollUp === undefined ? events : rolledUp(offset, events, rollUp) };
}

function skipped(offset: number, through: number, at: number): StoredEvent {
  return { event: "skipped", at, json: "null", range: { offset, through } };
}

function withoutOffset({ event, at, json, keyframe }: Row): StoredEvent {
  return { event, at, json, ...(keyframe === undefined ? {} : { keyframe }) };
}

/** Joins neighbours as long as the app can and the joint data stays within an event's size. */
function rolledUp(
  offset: number,
  events: readonly StoredEvent[],
  join: NonNullable<StreamFamily["rollUp"]>,
): StoredEvent[] {
  const joined: StoredEvent[] = [];
  let next = offset + 1;
  for (const event of events) {
    const range = event.range ?? { offset: next, through: next };
    next = range.through + 1;
    const last = joined.at(-1);
    const json = last === undefined ? undefined : tryJoin(last, event, join);
    if (last === undefined || json === undefined) joined.push(event);
    else
      joined[joined.length - 1] = {
        event: last.event,
        at: last.at,
        json,
        range: { offset: startOf(last, range.offset), through: range.through },
      };
  }
  return joined;
}

/** Where a joined event starts: its own range, or the single offset right before its new neighbour. */
function startOf(last: StoredEvent, neighbour: number): number {
  return last.range?.offset ?? neighbour - 1;
}

function tryJoin(left: StoredEvent, right: StoredEvent, join: NonNullable<StreamFamily["rollUp"]>): string | undefined {
  if (
    left.event !== right.event ||
    left.event === "skipped" ||
    left.keyframe !== undefined ||
    right.keyframe !== undefined
  )
    return undefined;
  if (left.json.length + right.json.length > limits.eventBytesMax) return undefined;
  const data = join(left.event, JSON.parse(left.json), JSON.parse(right.json));
  return data === undefined ? undefined : JSON.stringify(data);
}
