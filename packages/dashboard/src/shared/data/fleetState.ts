/**
 * The fleet as the page knows it: a pure fold of the stream `fleet`.
 *
 * A snapshot replaces everything; an event carries the whole agent, so folding one twice changes nothing.
 * An event that it does not know is ignored (TR-5).
 */
import type { Agent, FleetEventData, FleetSnapshot } from "@holdfast/control/contract";

export interface FleetState {
  readonly agents: ReadonlyMap<string, Agent>;
}

export const emptyFleet: FleetState = { agents: new Map() };

export function foldFleet(state: FleetState, event: { readonly event: string; readonly data: unknown }): FleetState {
  switch (event.event) {
    case "agent.registered":
    case "agent.changed": {
      const { agent } = event.data as FleetEventData["agent.changed"];
      return { agents: new Map(state.agents).set(agent.id, agent) };
    }
    case "agent.removed": {
      const agents = new Map(state.agents);
      agents.delete((event.data as { agent: string }).agent);
      return { agents };
    }
    default:
      return state;
  }
}

export function fleetFromSnapshot(snapshot: Readonly<Record<string, unknown>>): FleetState {
  const { agents } = snapshot as unknown as FleetSnapshot;
  return { agents: new Map(agents.map((agent) => [agent.id, agent])) };
}

/** What an agent needs from the person, in the order of the list. */
export const fleetGroups = ["attention", "working", "idle", "offline"] as const;
export type FleetGroup = (typeof fleetGroups)[number];

/**
 * The group of an agent. Waiting for a person, or cut off in the middle of a command: needs attention.
 * `reconnecting` lasts 15 s at most, so it stays where it is and only its mark changes.
 */
export function groupOf(agent: Agent): FleetGroup {
  if (agent.status === "offline") return agent.command === null ? "offline" : "attention";
  switch (agent.activity) {
    case "waiting":
      return "attention";
    case "working":
      return "working";
    case "idle":
      return "idle";
  }
}

/** The groups that have agents, each by name: activity never re-sorts a list under the pointer. */
export function grouped(
  state: FleetState,
): readonly { readonly group: FleetGroup; readonly agents: readonly Agent[] }[] {
  const all = [...state.agents.values()].sort(byName);
  return fleetGroups
    .map((group) => ({ group, agents: all.filter((agent) => groupOf(agent) === group) }))
    .filter(({ agents }) => agents.length > 0);
}

const byName = (a: Agent, b: Agent): number =>
  a.name.localeCompare(b.name, "en", { numeric: true }) || (a.id < b.id ? -1 : 1);
