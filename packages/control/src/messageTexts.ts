/**
 * What a message says: the whole text of a finished one, the pieces so far of one that is being written.
 *
 * Rows tell which messages there are; their texts are in the log only, once.
 */
import type { AgentEventData } from "../contract/index.ts";
import { messageScope } from "../contract/names.ts";
import type { ControlRead, MessagesTable } from "./tables.ts";

/** Of a finished message; of one that retention took, nothing. */
export async function readWhole(tx: ControlRead, stream: string, message: string): Promise<string> {
  const keyframe = await tx.log.keyframe(stream, messageScope(message));
  return keyframe === undefined ? "" : (keyframe.data as AgentEventData["message.finished"]).text;
}

/** Texts so far, by message: from the pieces in the log, of which `bytesMax` are read. */
export async function readUnfinished(
  tx: ControlRead,
  stream: string,
  messages: readonly Pick<MessagesTable, "id" | "started_after">[],
  bytesMax: number,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map(messages.map(({ id }) => [id, ""]));
  if (messages.length === 0) return texts;
  const deltas = await tx.log.read(stream, {
    after: Math.min(...messages.map(({ started_after }) => Number(started_after))),
    names: ["text.delta"],
    end: "oldest",
    eventsMax: Number.MAX_SAFE_INTEGER,
    bytesMax,
  });
  for (const { data } of deltas) {
    const { message, text } = data as AgentEventData["text.delta"];
    const before = texts.get(message);
    if (before !== undefined) texts.set(message, before + text);
  }
  return texts;
}
