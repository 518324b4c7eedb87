/**
 * What was typed and not yet sent, per thread or agent: kept across views, reloads and an ended session,
 * in this tab only, gone with the sign-out (O8).
 */
import { forgetAll, recall, remember } from "../platform/remembered.ts";

/** Longer drafts live only as long as their view. */
export const draftLengthMax = 100_000;
const start = "draft.";

export const recallDraft = (place: string): string => recall("tab", start + place) ?? "";

export function rememberDraft(place: string, text: string): void {
  if (text.length <= draftLengthMax) remember("tab", start + place, text);
}

export const forgetDrafts = (): void => forgetAll("tab", start);
