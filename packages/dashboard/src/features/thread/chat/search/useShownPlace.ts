/** Brings the place that was found into view: at once where it is shown, else with the part of the conversation around it. */
import type { Found } from "@holdfast/control/contract";
import { type RefObject, useEffect, useRef } from "react";
import { pageClock } from "../../../../shared/platform/clockShell.ts";
import type { ChatItem } from "../chatItems.ts";

export function useShownPlace(parts: {
  readonly place: Found | undefined;
  readonly shown: readonly ChatItem[];
  readonly scroller: RefObject<HTMLElement | null>;
  /** The end is not followed from now on. */
  readonly leave: () => void;
  readonly showAround: (command: string) => void;
}): void {
  const { place, shown, scroller, leave, showAround } = parts;
  const isShown = place !== undefined && shown.some(({ item }) => item.command === place.command);
  /** Asked for once each: a place that is gone is not asked for again and again. */
  const asked = useRef<Found>(undefined);
  useEffect(() => {
    if (place === undefined || isShown || asked.current === place) return;
    asked.current = place;
    showAround(place.command);
  }, [place, isShown, showAround]);
  useEffect(() => {
    if (place === undefined || !isShown) return;
    leave();
    const show = (): void => elementOf(scroller.current, place)?.scrollIntoView({ block: "center" });
    show();
    // What was out of view is laid out only now, and may have another height.
    return pageClock.frame(show);
  }, [place, isShown, scroller, leave]);
}

function elementOf(root: HTMLElement | null, { command, message }: Found): Element | undefined {
  const selector =
    message === null
      ? `[data-command="${CSS.escape(command)}"] [data-testid="chat-question"]`
      : `[data-message="${CSS.escape(message)}"]`;
  return root?.querySelector(selector) ?? undefined;
}
