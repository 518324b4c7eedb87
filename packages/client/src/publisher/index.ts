/**
 * A session that publishes: an agent's, or that of any program which may append to a stream (PB-1).
 *
 * `createPublisherSession` gives the plain session and, besides, producers, the acknowledgement of inboxes and, with
 * `agent`, the identity that the server gave (OP-6).
 */
import { type AgentIdentity, type Cursor, type HelloAgent, lostClose, type Transport } from "@holdfast/protocol";
import type { MethodMap, Session, SessionOptions } from "../api.ts";
import { openSession } from "../openSession.ts";
import { withFace } from "../shell/face.ts";
import { platformTransport } from "../shell/platformNetwork.ts";
import { openProducer, type Producer } from "./faces.ts";
import { makePublisherRoom } from "./room.ts";

export type * from "../api.ts";
export type { Producer } from "./faces.ts";

export interface PublisherSessionOptions extends SessionOptions {
  /** Makes this session an agent's (OP-6); asked before each `hello`. */
  readonly agent?: () => HelloAgent;
  /** `fenced` and other ends are in the state; this hears of the identity (OP-7). */
  readonly onAgent?: (agent: AgentIdentity) => void;
}

export interface PublisherSession<Methods extends MethodMap = MethodMap> extends Session<Methods> {
  readonly agent: AgentIdentity | undefined;
  /** One producer a stream; its UUID is made anew with each call. */
  producer(stream: string): Producer;
  /** OP-8: after the inbox cursor was stored durably. */
  acknowledge(stream: string, cursor: Cursor): void;
}

/** Opens a session and starts it. It lives until `close()`. */
export function createPublisherSession<Methods extends MethodMap = MethodMap>(
  options: PublisherSessionOptions,
): PublisherSession<Methods> {
  const { agent, onAgent } = options;
  const room = makePublisherRoom(agent !== undefined, (identity) => onAgent?.(identity));
  const streams = new Set<string>();
  const { transport = platformTransport } = options;
  const owned = openSession(
    { ...options, transport: agent === undefined ? transport : describing(transport) },
    { room, isAgent: agent !== undefined },
  );

  /** Asks the agent of itself before each `hello`; a throw fails the attempt. */
  function describing(platform: Transport): Transport {
    return {
      open: (url, protocols, events) =>
        platform.open(url, protocols, {
          ...events,
          opened() {
            try {
              room.described = agent?.();
              events.opened();
            } catch (error) {
              events.closed(lostClose, String(error));
            }
          },
        }),
    };
  }

  const session = withFace(owned.session, {
    get agent() {
      return room.identity;
    },
    producer(stream: string) {
      owned.assertOpen(stream);
      return openProducer(owned, room, stream, streams);
    },
    acknowledge(stream: string, cursor: Cursor) {
      owned.say(() => {
        owned.core.whispers.set(`ack ${stream}`, JSON.stringify({ type: "ack", stream, ...cursor }));
      });
    },
  });
  owned.start();
  return session as PublisherSession<Methods>;
}
