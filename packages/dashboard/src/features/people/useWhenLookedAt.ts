/** Runs something at once, and again whenever the page is looked at after it was hidden. */
import { useEffect } from "react";

/** @param run the same function while nothing changed */
export function useWhenLookedAt(run: () => void): void {
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible") run();
    };
    run();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [run]);
}
