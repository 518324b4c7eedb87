/**
 * `audit.search`: the audit from its newest entry back, all of it or what one person did, or one kind of deed.
 *
 * It reads {@link pagesMax} pages of the stream at most for an answer, and says where to look on: a rare thing in a
 * long audit is found page by page, and never holds the store's reader for long. What it cannot read as an entry it
 * passes over: the stream holds what older versions wrote.
 */
import { limits } from "@holdfast/protocol";
import { type AuditEntry, auditEntry } from "@holdfast/protocol/schema";
import { z } from "zod";
import type { LoggedEvent, Method, ReadTransaction } from "../plugin.ts";
import { auditStream } from "./audit.ts";

/** Entries a page of reading, and pages for one answer. */
const pageEntries = 200;
const pagesMax = 10;
const pageBytesMax = limits.responseBytesMax / 4;
const limitMax = 200;
const wordCharsMax = 200;

const params = z.strictObject({
  /** The person's id, or a part of their name. */
  person: z.string().trim().min(1).max(wordCharsMax).optional(),
  /** The method, or how its name begins: `user.` */
  action: z.string().trim().min(1).max(wordCharsMax).optional(),
  limit: z.int().min(1).max(limitMax).default(50),
  next: z
    .string()
    .regex(/^\d{1,15}$/, "is not one of this list's; begin again without it")
    .optional(),
});
const result = z.object({ items: z.array(auditEntry), next: z.string().optional() });
type Wanted = z.output<typeof params>;

export const auditSearch: Method = {
  doc: "Who has done what to others' rights, secrets or work, the newest first. `next` is where to look on, also where a page has found nothing.",
  role: "admin",
  kind: "read",
  params,
  result,
  async handle(tx: ReadTransaction, wanted: Wanted): Promise<z.output<typeof result>> {
    const items: AuditEntry[] = [];
    let before = wanted.next === undefined ? undefined : Number(wanted.next);
    for (let page = 0; page < pagesMax; page += 1) {
      const events = await pageBefore(tx, before);
      for (const event of events.toReversed()) {
        if (items.length === wanted.limit) return { items, next: String(before) };
        before = event.offset;
        const found = entryOf(event);
        if (found !== undefined && isWanted(found, wanted)) items.push(found);
      }
      if (events.length === 0) return { items };
    }
    return { items, next: String(before) };
  },
};

/** In the order of the stream. */
function pageBefore({ log }: ReadTransaction, before: number | undefined): Promise<readonly LoggedEvent[]> {
  const range = { after: 0, ...(before === undefined ? {} : { before }), end: "newest" } as const;
  return log.read(auditStream, { ...range, eventsMax: pageEntries, bytesMax: pageBytesMax });
}

function entryOf({ offset, at, data }: LoggedEvent): AuditEntry | undefined {
  const fields = typeof data === "object" && data !== null ? data : {};
  return auditEntry.safeParse({ about: {}, ...fields, offset, at }).data;
}

function isWanted({ by, action }: AuditEntry, { person, action: wantedAction }: Wanted): boolean {
  if (wantedAction !== undefined && !action.startsWith(wantedAction)) return false;
  return person === undefined || by.id === person || by.name.toLowerCase().includes(person.toLowerCase());
}
