/**
 * Records of connections in words, and which of them a filter means.
 *
 * Pure. Close codes are named as the protocol's registry names them; one that it does not know is its number.
 */
import { closeCodes } from "@holdfast/protocol";
import type { ConnectionRecord } from "@holdfast/protocol/schema";

const codeNames: ReadonlyMap<number, string> = new Map([
  [closeCodes.normal, "closed"],
  [closeCodes.goingAway, "page closed"],
  [closeCodes.noStatus, "closed without a code"],
  [closeCodes.lost, "lost"],
  [closeCodes.tooBig, "frame too big"],
  [closeCodes.internal, "server's error"],
  [closeCodes.restart, "server stopped"],
  [closeCodes.badMessage, "bad messages"],
  [closeCodes.unauthenticated, "signed out"],
  [closeCodes.forbidden, "not allowed"],
  [closeCodes.silent, "silent"],
  [closeCodes.fenced, "replaced"],
  [closeCodes.identityChanged, "somebody else"],
  [closeCodes.tooMany, "too many"],
  [closeCodes.unavailable, "not now"],
]);

/** Why it ended, in a word or two. */
export function endWord({ code }: Pick<ConnectionRecord, "code">): string {
  return codeNames.get(code) ?? `code ${code}`;
}

/** How far an opening came that was never welcomed; undefined for one that was. */
export function failedStep({ phases }: Pick<ConnectionRecord, "phases">): string | undefined {
  if (phases.welcomed !== undefined) return undefined;
  if (phases.hello === undefined) return "before it said who it is";
  return phases.admitted === undefined ? "while it waited for its turn" : "while it was judged";
}

/** Whether every word of the filter is in who, where or why of the record; upper and lower case alike. */
export function isMeant(record: ConnectionRecord, filter: string): boolean {
  const { user, userName, role, address, client, code, reason, connection } = record;
  const text = [user, userName, role, address, client, code, endWord(record), reason, connection]
    .join("\n")
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
