/**
 * Removal: an agent that will not come back leaves the fleet, and its threads stay.
 *
 * Life cycle: offline → removed, for good. What waits for it ends in the same transaction, and so do its terminals; its
 * name is free again. Invariants: only an offline agent is removed, judged under its row's lock, so a process that comes
 * at the same time is either seen or finds itself removed; a removed id is nobody's ever after. Who it was is kept, for
 * its threads. Its key is not revoked: a process that comes with one that may enrol is a new agent (`enrolment.ts`).
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Principal } from "@holdfast/server/plugin";
import type { Agent, FleetEventData, MethodParams, MethodResult } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import {
  type AgentRow,
  capabilitiesOf,
  findAgent,
  findRemoved,
  lockAgent,
  unknownAgent,
  wholeAgents,
} from "./agents.ts";
import { commandsOf, lose, withdraw } from "./queue.ts";
import type { ControlRead, ControlTransaction, RemovedAgentsTable } from "./tables.ts";
import { closeTerminals } from "./threads.ts";

const reason = "its agent was removed";

/** `agent.get` */
export async function getAgent(tx: ControlRead, params: MethodParams<"agent.get">): Promise<MethodResult<"agent.get">> {
  const row = await findAgent(tx, params.agent);
  const [agent] = row === undefined ? [] : await wholeAgents(tx, [row]);
  if (agent !== undefined) return { agent };
  const removed = await findRemoved(tx, params.agent);
  if (removed === undefined) throw unknownAgent(params.agent);
  return { agent: asItWas(removed), removedAt: Number(removed.removed_at) };
}

/** `agent.remove` */
export async function removeAgent(
  tx: ControlTransaction,
  { agent: id }: MethodParams<"agent.remove">,
  caller: Principal,
): Promise<MethodResult<"agent.remove">> {
  // Two admins at once both have what they wanted.
  if ((await findRemoved(tx, id)) !== undefined) return {};
  const agent = await lockAgent(tx, id);
  if (agent.status !== "offline") {
    throw new ProtocolError("conflict", `agent "${agent.name}" is ${agent.status}; end its process first`, {
      about: { type: "agent", id },
      details: { status: agent.status },
    });
  }
  for (const command of await commandsOf(tx, id, ["queued", "dispatched", "started"])) {
    if (command.state === "started") await lose(tx, command, reason);
    else await withdraw(tx, command, reason);
  }
  await closeTerminals(tx, id, reason);
  await keep(tx, agent, caller);
  for (const table of ["return_checks", "agent_processes"] as const)
    await tx.db.deleteFrom(table).where("workspace", "=", tx.workspace).where("agent", "=", id).execute();
  await tx.db.deleteFrom("agents").where("workspace", "=", tx.workspace).where("id", "=", id).execute();
  // A connection that a cut-off node still holds for it is nobody's any more (OP-7).
  tx.tellNodes({ kind: "agentFenced", workspace: tx.workspace, agent: id, generation: Number(agent.generation) + 1 });
  tx.append(streams.fleet, { event: "agent.removed", data: { agent: id } satisfies FleetEventData["agent.removed"] });
  return {};
}

async function keep(tx: ControlTransaction, agent: AgentRow, caller: Principal): Promise<void> {
  const { id, name, kind, host, capabilities, key_id, generation, created_at } = agent;
  const row = { id, name, kind, host, capabilities, key_id, generation, created_at };
  await tx.db
    .insertInto("removed_agents")
    .values({ workspace: tx.workspace, ...row, removed_at: tx.now, removed_by: caller.id })
    .execute();
}

function asItWas(row: RemovedAgentsTable): Agent {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    host: row.host,
    capabilities: capabilitiesOf(row),
    status: "offline",
    activity: "idle",
    command: null,
    commandText: null,
    queued: 0,
    generation: Number(row.generation),
    createdAt: Number(row.created_at),
    statusAt: Number(row.removed_at),
  };
}
