/**
 * Retention of events, one step: which stream is next, and what of it may go (ST-10).
 *
 * A stream in which nothing is open loses what is past its time, from the beginning on; one with something open
 * loses what a later keyframe of the same scope replaces, wherever that stands; an inbox loses what was
 * acknowledged, and what is too old to be obeyed (OP-8). Whether something is open is asked in the transaction that
 * removes: a thread that was idle a moment ago may have a command now.
 */
import type { StreamFamily } from "../plugin.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Retained, RetainPlace, RetainStep } from "./port.ts";
import {
  type Done,
  hasOlder,
  nothing,
  type RetainParts,
  removeOlder,
  removeReplaced,
  type StreamRow,
} from "./removeEvents.ts";

/** Streams that one step looks at: most have nothing to remove. */
const streamsMax = 200;

/** Looks at streams in the order of their making, until something was removed or enough was looked at. */
export async function retainEvents(parts: RetainParts, step: RetainStep & { of: "events" }): Promise<Retained> {
  const { from } = step;
  const streams = await parts.db
    .selectFrom("streams")
    .select(["id", "workspace", "name", "head", "trimmed", "acknowledged"])
    .where("id", from.offset > 0 ? ">=" : ">", from.stream)
    .orderBy("id")
    .limit(streamsMax)
    .execute();
  for (const row of streams) {
    const stream = numeric(row);
    const offset = stream.id === from.stream ? from.offset : 0;
    const done = await retainStream(parts, step, stream, offset);
    if (done.removed > 0 || done.goOn !== undefined) {
      const next: RetainPlace =
        done.goOn === undefined ? { stream: stream.id, offset: 0 } : { stream: stream.id, offset: done.goOn };
      return { removed: done.removed, bytes: done.bytes ?? 0, next };
    }
  }
  const last = streams.at(-1);
  return {
    removed: 0,
    next: streams.length < streamsMax || last === undefined ? undefined : { stream: last.id, offset: 0 },
  };
}

async function retainStream(
  parts: RetainParts,
  { lifetimes, only }: RetainStep & { of: "events" },
  stream: StreamRow,
  offset: number,
): Promise<Done> {
  const family = parts.family(stream.name);
  if (family === undefined) return nothing;
  const isOpen = async (): Promise<boolean> =>
    (await family.isOpen?.(parts.view(stream.workspace), stream.name)) === true;
  if (family.inbox) {
    if (only !== undefined) return nothing;
    const acknowledged = await removeOlder(parts, stream, lifetimes.acknowledgedMs, stream.acknowledged);
    if (acknowledged.removed > 0) return acknowledged;
    // OP-8: what nobody acknowledged goes only when it is too old to be obeyed and nothing waits for it.
    if (!(await hasOlder(parts, stream, lifetimes.expiredMs)) || (await isOpen())) return nothing;
    return removeOlder(parts, stream, lifetimes.expiredMs, stream.head);
  }
  if (family.lifetime === undefined) return nothing;
  const keptMs = lifetimeOf(family.lifetime, lifetimes);
  if (!(await hasOlder(parts, stream, keptMs))) return nothing;
  if (only === "replaced" || (await isOpen())) return removeReplaced(parts, family, stream, keptMs, offset);
  return removeOlder(parts, stream, keptMs, stream.head);
}

function lifetimeOf(lifetime: NonNullable<StreamFamily["lifetime"]>, lifetimes: Lifetimes): number {
  switch (lifetime) {
    case "work":
      return lifetimes.workMs;
    case "records":
      return lifetimes.recordsMs;
    case "audit":
      return lifetimes.auditMs;
  }
}

/** PostgreSQL gives its big integers as text. */
function numeric(row: StreamRow): StreamRow {
  const { id, head, trimmed, acknowledged } = row;
  return { ...row, id: Number(id), head: Number(head), trimmed: Number(trimmed), acknowledged: Number(acknowledged) };
}
