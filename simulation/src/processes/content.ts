/**
 * What an event is worth comparing: one text for each, the same for whoever saw it, in Node and in a browser.
 *
 * Bytes of a terminal are themselves, so that events which the server joined (ST-12) read as the contents joined. All
 * else is its name and its data. A *fold* of such contents is a fingerprint that does not depend on where they were cut.
 */
import type { Fold } from "../judge/logs.ts";

/** @param data as it was parsed from JSON */
export function contentOf(event: string, data: unknown): string {
  if (event === "terminal.output") return atob((data as { readonly data: string }).data);
  return `\n${event} ${JSON.stringify(data)}\n`;
}

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** FNV-1a over the characters, beside their number. */
export const contentFold: Fold = {
  initial: `0:${offsetBasis}`,
  next(state, content) {
    const [length = "0", hash = ""] = state.split(":");
    let value = Number(hash);
    for (let index = 0; index < content.length; index += 1)
      value = Math.imul(value ^ content.charCodeAt(index), prime) >>> 0;
    return `${Number(length) + content.length}:${value}`;
  },
};
