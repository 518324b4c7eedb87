/**
 * Whoever sends a first command is led to its new thread, and goes on writing there: told with the navigation, so
 * that it holds for this one visit and for nobody who merely opens the address.
 */
import { useRouterState } from "@tanstack/react-router";

declare module "@tanstack/react-router" {
  interface HistoryState {
    isWriting?: boolean;
  }
}

/** Goes with the navigation. */
export const writing = { isWriting: true } as const;

export function useIsWriting(): boolean {
  return useRouterState({ select: ({ location }) => location.state.isWriting === true });
}
