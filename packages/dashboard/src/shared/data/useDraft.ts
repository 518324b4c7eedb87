/** What is typed at a place, and how to change it. */
import { useCallback, useSyncExternalStore } from "react";
import { useLive } from "./LiveData.tsx";

export function useDraft(place: string): readonly [string, (text: string) => void] {
  const { drafts } = useLive();
  const text = useSyncExternalStore(drafts.onChange, () => drafts.text(place));
  return [text, useCallback((next: string) => drafts.set(place, next), [drafts, place])];
}
