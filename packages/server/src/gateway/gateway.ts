/**
 * The gateway: upgrades, the registry of live connections, the sweep, and drain.
 *
 * Life cycle of a node's gateway: open (upgrades are taken) → draining (`bye` 1012 to all, no more upgrades)
 * → empty. Invariants: the registry holds exactly the sockets that are not closed; one timer, the sweep,
 * watches the deadlines of all connections, so that an idle connection costs no timer (LV-2, OP-1, AU-8).
 */
import { closeCodes, limits, type TimerHandle, uuidv7 } from "@holdfast/protocol";
import { type Connection, createConnection } from "./connection.ts";
import type { GatewayContext } from "./context.ts";
import type { OpenConnection } from "./openConnection.ts";
import type { UpgradeCredentials } from "./opening.ts";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";
import { tellRuntimes } from "./tellRuntimes.ts";

const sweepMs = 1_000;
/** AU-8 */
const expiryGraceMs = 30_000;
/** LV-2: a sweep found later than this means that our own loop stalled. */
const stallMs = 1_000;
const drainRetryAfterMs = 1_000;
const openingsPerSecond = 500;

export interface Gateway {
  /** A socket whose upgrade was accepted. Returns where its events go. */
  accept(socket: ServerSocket, upgrade: UpgradeCredentials, address: string): ServerSocketEvents;
  readonly connections: ReadonlySet<Connection>;
  /** CL-9. Resolves when the last connection is gone, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}

export function createGateway(context: GatewayContext): Gateway {
  const { clock, random } = context;
  const connections = new Set<Connection>();
  let emptied: (() => void) | undefined;
  let sweepTimer: TimerHandle | undefined;
  let sweptAt = clock.monotonic();
  /** LV-2: silence is not judged before this, since it was us who did not listen. */
  let judgeSilenceFrom = 0;

  const schedule = (): void => {
    sweepTimer = clock.after(sweepMs, () => {
      const now = clock.monotonic();
      if (now - sweptAt > sweepMs + stallMs) judgeSilenceFrom = now + context.heartbeat.interval;
      sweptAt = now;
      for (const connection of connections) sweep(connection, now);
      schedule();
    });
  };

  const sweep = (connection: Connection, now: number): void => {
    const { state, flow } = connection;
    const isJudging = now >= judgeSilenceFrom;
    switch (state.kind) {
      case "opening":
        if (isJudging && now - state.since > limits.helloTimeoutMs) connection.close(closeCodes.silent, "no hello");
        return;
      case "verifying":
        if (isJudging && now - state.since > limits.verdictTimeoutMs)
          connection.close(closeCodes.unavailable, "no verdict in time", limits.verdictTimeoutMs);
        return;
      case "open": {
        watchExpiry(connection, state.open);
        if (flow.pausedSince !== undefined) {
          if (now - flow.pausedSince > limits.pausedReadingMsMax)
            connection.close(closeCodes.silent, "over its limits for too long");
          return;
        }
        const silenceMsMax = state.open.visible
          ? context.heartbeat.interval + context.heartbeat.timeout
          : limits.hiddenSilenceMsMax;
        if (isJudging && now - connection.heardAt > silenceMsMax)
          connection.close(closeCodes.silent, `silent for ${silenceMsMax} ms`);
        return;
      }
      default:
        return;
    }
  };

  const watchExpiry = (connection: Connection, open: OpenConnection): void => {
    if (open.expiresAt === undefined) return;
    const left = open.expiresAt - clock.now();
    if (left <= -expiryGraceMs) connection.close(closeCodes.unauthenticated, "the credential has ended");
    else if (left > 0 && left <= open.expiryNoticeMs && !open.expiryTold) {
      open.expiryTold = true;
      connection.send({ type: "expiring", in: Math.round(left) });
    }
  };

  const opened = (connection: Connection, open: OpenConnection): void => {
    const { agent, principal } = open;
    if (agent === undefined) return;
    const here = { id: agent.id, workspace: principal.workspace, connection: connection.id };
    tellRuntimes(context, (runtime) => runtime.agentConnected(here));
  };

  schedule();
  context.authenticator.onEnded((credential) => context.occupants.end(credential));
  return {
    connections,
    accept(socket, upgrade, address) {
      const connection = createConnection({
        context,
        id: uuidv7(clock.now(), random.bytes(10)),
        socket,
        upgrade,
        address,
        opened,
        closed: (gone) => {
          connections.delete(gone);
          if (connections.size === 0) emptied?.();
        },
      });
      connections.add(connection);
      if (upgrade.ambiguous === true) connection.close(closeCodes.badMessage, "ambiguous_credentials");
      return connection.events;
    },
    async drain(withinMs) {
      if (sweepTimer !== undefined) clock.cancel(sweepTimer);
      // Not all at once (F16): as many a second as a node may open.
      let index = 0;
      for (const connection of connections) {
        const retryAfter = drainRetryAfterMs + Math.floor((index * 1_000) / openingsPerSecond);
        connection.close(closeCodes.restart, "the server stops", retryAfter);
        index += 1;
      }
      if (connections.size === 0) return;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        clock.after(withinMs, resolve);
      });
    },
  };
}
