/**
 * `thread.search`: where in one thread a text stands, from the newest command back.
 *
 * It reads what was said, {@link pagesMax} pages of it at most for an answer, and says where to look on: a long thread is
 * searched page by page, and never holds the store's reader for long. Case does not count.
 */
import type { Principal } from "@holdfast/server/plugin";
import type { Found, MethodParams, MethodResult } from "../contract/index.ts";
import { readHistory } from "./history.ts";
import type { ControlRead } from "./tables.ts";

/** Pages of history looked at for one answer; each has 128 KiB of text at most. */
const pagesMax = 8;
const pageLimit = 100;
/** On each side of what was found. */
const excerptChars = 60;

/** `thread.search` */
export async function searchThread(
  tx: ControlRead,
  { thread, text, before, limit }: MethodParams<"thread.search">,
  caller: Principal,
): Promise<MethodResult<"thread.search">> {
  const items: Found[] = [];
  let next = before;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await readHistory(tx, { thread, before: next, limit: pageLimit }, caller);
    for (const { command, messages } of page.items.toReversed()) {
      if (items.length >= limit) return { items, ...(next === undefined ? {} : { next }) };
      const place = { command: command.id, at: command.queuedAt };
      for (const message of messages.toReversed()) {
        const excerpt = excerptOf(message.text, text);
        if (excerpt !== undefined) items.push({ ...place, message: message.id, excerpt });
      }
      const excerpt = excerptOf(command.text, text);
      if (excerpt !== undefined) items.push({ ...place, message: null, excerpt });
      next = command.id;
    }
    next = page.next;
    if (next === undefined) return { items };
  }
  return { items, ...(next === undefined ? {} : { next }) };
}

/** Some words around the first place; undefined where there is none. */
function excerptOf(text: string, wanted: string): string | undefined {
  const at = text.toLowerCase().indexOf(wanted.toLowerCase());
  if (at === -1) return undefined;
  const from = Math.max(0, at - excerptChars);
  const to = Math.min(text.length, at + wanted.length + excerptChars);
  return `${from > 0 ? "…" : ""}${text.slice(from, to).toWellFormed()}${to < text.length ? "…" : ""}`;
}
