/**
 * Whoever sends a first command is led to its new thread, and goes on writing there: told with the navigation, so
 * that it holds for this one visit and for nobody who merely opens the address.
 */
import type { Agent } from "@holdfast/control/contract";
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

/** What one writes to this agent. */
export function writeLabel(agent: Pick<Agent, "kind"> | undefined): string {
  if (agent?.kind === "assistant") return "Write a message";
  return agent?.kind === "shell" ? "Type a shell command" : "Type a command";
}

export function offlineHint(agent: Pick<Agent, "kind">): string {
  const [who, what] = agent.kind === "assistant" ? ["assistant", "message"] : ["agent", "command"];
  return `The ${who} is offline: a ${what} waits for it, for 24 h at most.`;
}
