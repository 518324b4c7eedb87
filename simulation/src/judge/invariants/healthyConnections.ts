/**
 * I5: no failure of a dependency closes a connection that was welcomed, or changes an agent's status.
 *
 * Each end of such a connection must have a cause that is not a dependency's (`ClosingCause` has no word for one), and
 * an agent's status may leave `online` only when its own connection has ended since.
 */
import type { Fail, Invariant } from "../invariant.ts";
import type { Observed } from "../observation.ts";

export function healthyConnections(fail: Fail): Invariant {
  const welcomed = new Set<string>();
  /** Clients whose connection ended, and the agents whose status has not been told since. */
  const endings = new Map<string, number>();
  const statuses = new Map<string, { readonly status: string; readonly endings: number }>();
  const sick = new Set<string>();

  function judgeStatus({ agent, client, status }: Observed<"agentStatus">): void {
    const before = statuses.get(agent);
    const ended = endings.get(client) ?? 0;
    if (before?.status === "online" && status !== "online" && ended === before.endings) {
      fail("I5", `agent ${agent} became ${status}, but the connection of ${client} had not ended`, {
        context: { unhealthy: [...sick] },
      });
    }
    statuses.set(agent, { status, endings: ended });
  }

  return {
    on: {
      dependency({ name, isHealthy }) {
        if (isHealthy) sick.delete(name);
        else sick.add(name);
      },
      welcomed: ({ client }) => void welcomed.add(client),
      closed({ client, code, cause }) {
        endings.set(client, (endings.get(client) ?? 0) + 1);
        if (!welcomed.delete(client) || cause !== undefined) return;
        fail("I5", `the connection of ${client} ended with ${code}, and nothing is known that would have ended it`, {
          context: { unhealthy: [...sick] },
        });
      },
      clientEnded({ client }) {
        welcomed.delete(client);
        endings.set(client, (endings.get(client) ?? 0) + 1);
      },
      agentStatus: judgeStatus,
    },
  };
}
