/**
 * Waits until the local agents are online, as any client of the protocol would see it.
 *
 * `ready` promises that a command can be sent; only the `fleet` stream, read over the wire, proves that. Life
 * cycle: one session, one subscription, closed as soon as it has seen what it waits for or is told to end.
 */
import { createSession } from "@holdfast/client";
import type { Agent } from "@holdfast/control/contract";
import type { LocalPart } from "./localAgents.ts";

export interface FleetWatch {
  /** Resolves once all are online; never rejects, and never resolves where one stays away. */
  readonly allOnline: Promise<void>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

/** `url` is the server's, `key` the operator's. */
export function watchFleet(url: string, key: string, version: string, parts: readonly LocalPart[]): FleetWatch {
  const agents = new Map<string, Agent>();
  let seen = (): void => {};
  const allOnline = new Promise<void>((done) => {
    seen = () => {
      if (parts.every((part) => [...agents.values()].some((agent) => isOnline(agent, part)))) done();
    };
  });
  const session = createSession({
    url: `${url.replace(/^http/, "ws")}/ws`,
    getToken: async () => key,
    clientName: "holdfast serve",
    clientVersion: version,
  });
  session.subscribe("fleet", {
    from: "latest",
    onSnapshot: (data) => {
      agents.clear();
      for (const agent of data["agents"] as readonly Agent[]) agents.set(agent.id, agent);
      seen();
    },
    onEvents: (events) => {
      for (const { data } of events) {
        const { agent } = data as { agent?: Agent };
        if (agent !== undefined) agents.set(agent.id, agent);
      }
      seen();
    },
  });
  return { allOnline, close: () => session.close() };
}

/** The server appends `-2` to a name that is taken (OP-6). */
function isOnline(agent: Agent, { kind, name }: LocalPart): boolean {
  if (agent.status !== "online" || agent.kind !== kind) return false;
  return agent.name === name || (agent.name.startsWith(`${name}-`) && /^\d+$/.test(agent.name.slice(name.length + 1)));
}
