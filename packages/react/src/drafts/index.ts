/** What was typed and not sent, kept for one person in their browser: for whoever does without `useThread`. */
import { draftStorage } from "../shell/draftStorage.ts";
import { type Drafts, forgetDrafts as forgetIn, makeDrafts } from "./drafts.ts";

export type { Drafts } from "./drafts.ts";

/** By person; one for all of this page, since a storage tells other pages only. */
const opened = new Map<string, Drafts>();

/** The drafts of one person, in every tab of this browser. */
export function openDrafts(person: string): Drafts {
  const known = opened.get(person);
  if (known !== undefined) return known;
  const drafts = makeDrafts(person, draftStorage);
  opened.set(person, drafts);
  return drafts;
}

/** Everybody's in this browser, but those of `except`: with a sign-out, and before somebody else's page is shown. */
export function forgetDrafts(except?: string): void {
  for (const [person, drafts] of opened) {
    if (person === except) continue;
    drafts.close();
    opened.delete(person);
  }
  forgetIn(draftStorage, except);
}
