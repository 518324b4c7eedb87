/**
 * A transport whose owner is watched: the production session opens its sockets here, and the judge hears of each.
 *
 * It adds nothing to what the session gets. Attempts, ends with their causes, `welcome` and the number of sockets that
 * are owned are told as they happen; a socket that the session dropped counts as not owned, however long the network
 * keeps it.
 */
import { closeCodes, limits, type Transport } from "@holdfast/protocol";
import type { Process } from "../core/process.ts";
import type { Observation } from "../judge/observation.ts";
import type { Connection } from "../world/connection.ts";
import type { Network } from "../world/network.ts";
import type { Cause, Path } from "../world/path.ts";

export type Because = NonNullable<Extract<Observation, { kind: "attempted" }>["because"]>;

/** A node looks once a second at what it has to tell; ways there are long. */
const tellingMsMax = 10_000;

/** An agent's connections as whoever knows first of their ends: what a server says of an agent follows that. */
export function serverView(agent: string): string {
  return `${agent} (server's view)`;
}

export interface WatchedParts {
  readonly client: string;
  /** The name under which the server's side of it is told; absent: it is told to nobody. */
  readonly serverView?: string;
  readonly process: Process;
  readonly path: Path;
  readonly network: Network;
  readonly now: () => number;
  readonly observe: (observation: Observation) => void;
  /** Why the attempt that begins now may pass the backoff, if it may. Asked once each. */
  readonly because: () => Because | undefined;
  /** The server says that whoever this is is not whom it expects (4410). */
  readonly forsaken?: () => void;
  /** The server says that the credential ends. */
  readonly expiring?: () => void;
  /** It closed as one closes whose credential was refused, before anything else. */
  readonly refused?: (token: string) => void;
  /** It closed for the credential's end, and had never said on that connection that it comes (AU-7). */
  readonly endedUntold?: () => void;
}

export interface Watched extends Transport {
  /** The newest connection, open or not. */
  readonly current: Connection | undefined;
}

export function watchedTransport(parts: WatchedParts): Watched {
  const { client, process, path, network, now, observe, because } = parts;
  const owned = new Set<Connection>();
  let current: Connection | undefined;
  /** What the end of the last connection lets the next attempt do. */
  let excuse: Because | undefined;
  /** When the server said that it may come. */
  let notBefore: number | undefined;
  const count = (): void => observe({ kind: "socketsOwned", at: now(), client, count: owned.size });
  return {
    get current() {
      return current;
    },
    open(_url, _protocols, events) {
      const why = because() ?? excuse;
      excuse = undefined;
      observe({
        kind: "attempted",
        at: now(),
        client,
        ...(why === undefined ? {} : { because: why }),
        ...(notBefore === undefined ? {} : { notBefore }),
      });
      notBefore = undefined;
      let isWelcomed = false;
      let isClosed = false;
      let isTold = false;
      let welcomedAt = 0;
      /** What its `hello` said, which is the first that it sends. */
      let token: string | undefined;
      /** Why it ended, as far as anybody knew before the client did. */
      let cause: Cause | undefined;
      const closed = (code: number): void => {
        owned.delete(connection);
        if (isClosed) return;
        isClosed = true;
        observe({ kind: "closed", at: now(), client, code, ...(cause === undefined ? {} : { cause }) });
      };
      const connection: Connection = network.connect(process, path, {
        opened: () => events.opened(),
        received(frame) {
          if (!isWelcomed && frame.includes('"type":"welcome"')) {
            isWelcomed = true;
            welcomedAt = now();
            observe({ kind: "welcomed", at: now(), client });
            if (parts.serverView !== undefined) observe({ kind: "welcomed", at: now(), client: parts.serverView });
          }
          // CL-6: of a socket that it has given up the session hears nothing.
          const retryAfter = !isClosed && frame.includes('"type":"bye"') ? toldMs(frame) : undefined;
          if (retryAfter !== undefined) {
            excuse = "told";
            notBefore = now() + retryAfter;
          }
          if (frame.includes('"type":"expiring"')) {
            isTold = true;
            parts.expiring?.();
          }
          events.received(frame);
        },
        closed(code, reason) {
          if (code === closeCodes.unauthenticated) {
            excuse = "credential";
            if (!isWelcomed && !isClosed && token !== undefined) parts.refused?.(token);
            if (isWelcomed && !isTold && now() - welcomedAt > tellingMsMax) parts.endedUntold?.();
          }
          if (code === closeCodes.identityChanged) {
            excuse = "identity";
            parts.forsaken?.();
          }
          closed(code);
          events.closed(code, reason);
        },
        ended(code, why) {
          cause = why;
          if (parts.serverView === undefined) return;
          observe({
            kind: "closed",
            at: now(),
            client: parts.serverView,
            code,
            // What was never welcomed has nothing that could end without a cause.
            ...(isWelcomed && why === undefined ? {} : { cause: why ?? "network" }),
          });
        },
      });
      current = connection;
      owned.add(connection);
      count();
      return {
        send(frame) {
          token ??= tokenOf(frame);
          connection.send(frame);
        },
        close(code, reason) {
          connection.close(code, reason);
          closed(code);
        },
      };
    },
  };
}

function tokenOf(frame: string): string {
  const messages = JSON.parse(frame) as readonly { readonly type: string; readonly token?: string }[];
  return messages.find(({ type }) => type === "hello")?.token ?? "";
}

/** CL-4: what is beyond five minutes is no time. */
function toldMs(frame: string): number | undefined {
  const messages = JSON.parse(frame) as readonly { readonly type: string; readonly retryAfter?: number }[];
  const told = messages.find(({ type }) => type === "bye")?.retryAfter;
  return told !== undefined && told >= 0 && told <= limits.retryAfterMsMax ? told : undefined;
}
