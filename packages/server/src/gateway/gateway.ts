/**
 * The gateway: upgrades, the registry of live connections, the sweep, and drain.
 *
 * Life cycle of a node's gateway: open (upgrades are taken) → draining (`bye` 1012 to all, no more upgrades)
 * → empty. Invariants: the registry holds exactly the sockets that are not closed; one timer, the sweep,
 * watches the deadlines of all connections, so that an idle connection costs no timer (LV-2, OP-1, AU-8).
 */
import { closeCodes, limits, type TimerHandle, uuidv7 } from "@holdfast/protocol";
import { neighbourOf } from "../admission/address.ts";
import { createSocketsWithoutHello } from "../admission/socketsWithoutHello.ts";
import type { Principal } from "../plugin.ts";
import { type Connection, type ConnectionHost, createConnection } from "./connection.ts";
import type { GatewayContext } from "./context.ts";
import { principalKey } from "./occupants.ts";
import type { OpenConnection } from "./openConnection.ts";
import type { UpgradeCredentials } from "./opening.ts";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";
import { tellRuntimes } from "./tellRuntimes.ts";
import type { Weather } from "./weather.ts";

const sweepMs = 1_000;
/** AU-8 */
const expiryGraceMs = 30_000;
/** LV-2: a sweep found later than this means that our own loop stalled. */
const stallMs = 1_000;
/** CL-9: a server that stops is not back sooner. */
const drainRetryAfterMs = 1_000;

export interface Gateway {
  /** A socket whose upgrade was accepted. Returns where its events go. */
  accept(socket: ServerSocket, upgrade: UpgradeCredentials, address: string): ServerSocketEvents;
  readonly connections: ReadonlySet<Connection>;
  /** AD-3: where a socket would find no place, ms after which to come back; its upgrade is refused. */
  refusal(): number | undefined;
  /** CL-9: ms after which an upgrade that came to a server that stops may come back. */
  readonly awayMs: number;
  /**
   * Bad weather for the caller's own open connections on this node: of one browser, where the caller has a session.
   * `expire`: the credential's end has come (AU-8). Returns how many it met.
   */
  disturb(caller: Principal, weather: Weather | "expire"): number;
  /** CL-9. Resolves when the last connection is gone, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}

export function createGateway(context: GatewayContext): Gateway {
  const { clock, random, admission, admissionLimits } = context;
  const connections = new Set<Connection>();
  const silent = createSocketsWithoutHello<Connection>(
    admissionLimits.socketsWithoutHelloMax,
    admissionLimits.socketsWithoutHelloPerAddressMax,
  );
  /** Connections that were welcomed and are not closed. */
  let held = 0;
  /** Sockets that never got that far, those included that were told to go and are still here (AD-3). */
  let unwelcomed = 0;
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
      admission.tidy();
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
          connection.close(closeCodes.unavailable, "no verdict in time", admission.promise(limits.verdictTimeoutMs));
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
    // Also where it has ended already and was taken within the tolerance: nobody else would tell (AU-4, AU-8).
    else if (left <= Math.max(0, open.expiryNoticeMs) && !open.expiryTold) {
      open.expiryTold = true;
      connection.send({ type: "expiring", in: Math.max(0, Math.round(left)) });
    }
  };

  const host: ConnectionHost = {
    spoke: (connection) => silent.remove(connection),
    welcomed: () => {
      held += 1;
      unwelcomed -= 1;
    },
    opened(connection, { agent, principal }) {
      const { id, workspace } = principal;
      admission.holds(principalKey(workspace, id), context.occupants.count(workspace, id));
      if (agent === undefined) return;
      const here = { id: agent.id, workspace, connection: connection.id };
      tellRuntimes(context, (runtime) => runtime.agentConnected(here));
    },
    left(connection, { agent, principal, polite }, livedMs) {
      held -= 1;
      const { id, workspace } = principal;
      admission.lost(principalKey(workspace, id), livedMs);
      if (agent === undefined) return;
      const gone = { id: agent.id, workspace, connection: connection.id, polite };
      tellRuntimes(context, (runtime) => runtime.agentDisconnected(gone));
    },
    spread: () => admission.spread(held),
    closed(connection, record) {
      connections.delete(connection);
      if (record.phases.welcomed === undefined) unwelcomed -= 1;
      if (connections.size === 0) emptied?.();
    },
  };

  schedule();
  context.authenticator.onEnded((credential) => context.occupants.end(credential));
  return {
    connections,
    refusal: () => (admission.isFull(unwelcomed) ? admission.placeInMs() : undefined),
    get awayMs() {
      return drainRetryAfterMs + admission.placeInMs();
    },
    accept(socket, upgrade, address) {
      const id = uuidv7(clock.now(), random.bytes(10));
      const connection = createConnection({ context, id, socket, upgrade, address, host });
      connections.add(connection);
      unwelcomed += 1;
      for (const oldest of silent.add(connection, neighbourOf(address)))
        oldest.close(closeCodes.silent, "no hello while others waited");
      if (upgrade.ambiguous === true) connection.close(closeCodes.badMessage, "ambiguous_credentials");
      return connection.events;
    },
    disturb(caller, weather) {
      const theirs = [...connections].flatMap(({ socket, state }) =>
        state.kind === "open" && isOf(state.open.principal, caller) ? [{ socket, open: state.open }] : [],
      );
      if (weather !== "expire") {
        for (const { socket } of theirs) socket.disturb?.(weather, clock);
        return theirs.length;
      }
      const mortal = theirs.filter(({ open }) => open.expiresAt !== undefined);
      for (const { open } of mortal) {
        open.expiresAt = clock.now();
        open.expiryTold = false;
      }
      return mortal.length;
    },
    async drain(withinMs) {
      if (sweepTimer !== undefined) clock.cancel(sweepTimer);
      // CL-9, F16: not all at once, but each in its slot, which the node that comes next honours.
      for (const connection of connections)
        connection.close(closeCodes.restart, "the server stops", admission.promise(drainRetryAfterMs));
      if (connections.size === 0) return;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        clock.after(withinMs, resolve);
      });
    },
  };
}

/** The same one, and in the same browser where there is a session to tell browsers apart by. */
function isOf(principal: Principal, caller: Principal): boolean {
  const { workspace, id, session } = caller;
  return (
    principal.workspace === workspace && principal.id === id && (session === undefined || principal.session === session)
  );
}
