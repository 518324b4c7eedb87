/**
 * What was typed and not yet sent, per thread or agent: kept for one person in this browser, in step between its tabs
 * (`@holdfast/react/drafts`), gone with the sign-out, and before anybody else's page is shown (O8).
 */
import { type Drafts, forgetDrafts, openDrafts } from "@holdfast/react/drafts";

/** Nobody is signed in where development mode asks nobody. */
export type Drafter = { readonly workspace: string; readonly id: string } | null;

export const draftsOf = (person: Drafter): Drafts => openDrafts(nameOf(person));

/** Of everybody but this person. */
export const forgetDraftsOfOthers = (person: Drafter): void => forgetDrafts(nameOf(person));

const nameOf = (person: Drafter): string => (person === null ? "page" : `${person.workspace} ${person.id}`);
