/**
 * From stored rows to a contiguous run: what retention removed is named, and consecutive events that the app
 * can join are rolled up (ST-10, ST-12). Pure.
 *
 * Invariant: the run covers every offset after the cursor up to its end exactly once, whatever is missing.
 */
import { limits } from "@holdfast/protocol";
import type { RollUp } from "../plugin.ts";
import type { StoredRows } from "./dialect.ts";
import type { EventRun, StoredEvent } from "./port.ts";

type Row = StoredRows["rows"][number];

/** The run after `offset`. */
export function toRun(offset: number, { rows, head, more }: StoredRows, rollUp: RollUp | undefined): EventRun {
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

interface Group {
  readonly event: string;
  readonly at: number;
  readonly key: string;
  readonly offset: number;
  through: number;
  bytes: number;
  readonly data: unknown[];
  readonly first: StoredEvent;
}

/** Joins neighbours of one key as long as the joint data stays within an event's size: each is parsed once. */
function rolledUp(offset: number, events: readonly StoredEvent[], rollUp: RollUp): StoredEvent[] {
  const joined: StoredEvent[] = [];
  let next = offset + 1;
  let group: Group | undefined;
  const close = (): void => {
    if (group !== undefined) joined.push(group.data.length === 1 ? group.first : toEvent(group, rollUp));
    group = undefined;
  };
  for (const event of events) {
    const range = event.range ?? { offset: next, through: next };
    next = range.through + 1;
    const isPlain = event.range === undefined && event.keyframe === undefined;
    const data: unknown = isPlain ? JSON.parse(event.json) : undefined;
    const key = isPlain ? rollUp.key(event.event, data) : undefined;
    const fits = group !== undefined && group.bytes + event.json.length <= limits.eventBytesMax;
    if (key !== undefined && fits && group?.key === key && group.event === event.event) {
      group.data.push(data);
      group.bytes += event.json.length;
      group.through = range.through;
      continue;
    }
    close();
    if (key === undefined) joined.push(event);
    else
      group = { event: event.event, at: event.at, key, ...range, bytes: event.json.length, data: [data], first: event };
  }
  close();
  return joined;
}

function toEvent({ event, at, data, offset, through }: Group, rollUp: RollUp): StoredEvent {
  return { event, at, json: JSON.stringify(rollUp.join(event, data)), range: { offset, through } };
}
