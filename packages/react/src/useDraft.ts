/** One place's draft as a component shows it. */
import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import { openDrafts } from "./drafts/index.ts";

const nobody = { onChange: () => () => {}, text: () => "" };

/** @param person without one, the draft lives as long as the component. */
export function useDraft(
  place: string,
  person: string | undefined,
): { readonly draft: string; readonly setDraft: (text: string) => void } {
  const drafts = useMemo(() => (person === undefined ? undefined : openDrafts(person)), [person]);
  const [own, setOwn] = useState({ place, text: "" });
  const { onChange, text } = drafts ?? nobody;
  const kept = useSyncExternalStore(onChange, () => text(place));
  return {
    draft: drafts === undefined ? (own.place === place ? own.text : "") : kept,
    setDraft: useCallback(
      (next) => (drafts === undefined ? setOwn({ place, text: next }) : drafts.set(place, next)),
      [drafts, place],
    ),
  };
}
