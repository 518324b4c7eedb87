/**
 * The browser's own storage as drafts see it: kept when the tab is closed, and told to the other tabs.
 *
 * One that is full, forbidden or missing keeps nothing, and says nothing of it.
 */
import type { DraftStorage } from "../drafts/drafts.ts";

export const draftStorage: DraftStorage = {
  keys: () => attempt(() => Object.keys(window.localStorage)) ?? [],
  read: (key) => attempt(() => window.localStorage.getItem(key)) ?? undefined,
  write: (key, value) => attempt(() => window.localStorage.setItem(key, value)),
  remove: (key) => attempt(() => window.localStorage.removeItem(key)),
  now: () => Date.now(),
  isFocused: () => document.hasFocus(),
  listen({ changed, left }) {
    const onStorage = ({ key }: StorageEvent): void => changed(key ?? undefined);
    window.addEventListener("storage", onStorage);
    window.addEventListener("blur", left);
    return () => {
      window.removeEventListener("storage", onStorage);
      window.removeEventListener("blur", left);
    };
  },
};

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
