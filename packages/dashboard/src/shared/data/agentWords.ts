/** An agent's state as a mark and in words. Text of agents is shown with what is invisible in it made visible. */
import type { Agent } from "@holdfast/control/contract";
import { visibleText } from "../format/visibleText.ts";
import type { MarkShape } from "../ui/StateMark.tsx";

export function agentMark(agent: Agent): MarkShape {
  if (agent.status === "offline") return agent.command === null ? "offline" : "unknown";
  if (agent.status === "reconnecting") return "reconnecting";
  return agent.activity;
}

/** One line of what it does. */
export function liveLine(agent: Agent): string {
  if (agent.status === "offline" && agent.command !== null) return `offline in the middle of: ${textOf(agent)}`;
  if (agent.status === "offline") return "offline";
  if (agent.status === "reconnecting")
    return agent.command === null ? "reconnecting" : `reconnecting · ${textOf(agent)}`;
  switch (agent.activity) {
    case "idle":
      return "idle";
    case "waiting":
      return `waits for you · ${textOf(agent)}`;
    case "working":
      return textOf(agent);
  }
}

const textOf = (agent: Agent): string => (agent.commandText === null ? "working" : visibleText(agent.commandText));
