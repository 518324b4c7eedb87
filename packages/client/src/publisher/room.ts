/**
 * The room of what publishes, in a session's core: its producers, and who it is where it is an agent (OP-6, OP-7).
 *
 * An agent speaks only once it knows its generation: until then requests and events wait. Producers outlive
 * connections; the windows under way are one for all of them (AD-5). It knows no clock and no socket.
 */
import { type AgentIdentity, type HelloAgent, isUuid, limits, makeId, ProtocolError } from "@holdfast/protocol";
import {
  agentIdentity,
  type Checks,
  count,
  errorBody,
  listOf,
  optional,
  positive,
  shape,
  text,
} from "../core/reader.ts";
import { isTooLarge } from "../core/rooms.ts";
import type { Room, SessionContext, SessionCore } from "../core/sessionCore.ts";
import {
  type Decided,
  flushProducer,
  makeProducer,
  type Producer,
  type ProducerContext,
  type ProducerListeners,
  queueEvent,
  readPublished,
  readPublishRefused,
  rewindProducer,
  stopProducer,
} from "./producer.ts";

/** What a publisher's messages look like, beside those of every session. */
export const publisherChecks: Checks = new Map([
  ["agent", agentIdentity],
  [
    "published",
    shape({
      stream: text,
      producer: isUuid,
      sequence: count,
      rejected: optional(listOf(shape({ sequence: positive, error: errorBody }))),
    }),
  ],
]);

export interface PublisherRoom extends Room {
  /** Asked before each `hello`; undefined where it is no agent. */
  described: HelloAgent | undefined;
  readonly identity: AgentIdentity | undefined;
  open(core: SessionCore, stream: string, hears: ProducerListeners, context: SessionContext): Producer;
  publish(core: SessionCore, producer: Producer, text: string, decided: Decided, context: SessionContext): void;
  close(producer: Producer): void;
}

/** @param named hears of each identity that the server gave */
export function makePublisherRoom(isAgent: boolean, named: (agent: AgentIdentity) => void): PublisherRoom {
  const producers = new Set<Producer>();
  let identity: AgentIdentity | undefined;
  let isNamed = !isAgent;

  function name(agent: AgentIdentity, { out }: SessionContext): void {
    identity = agent;
    isNamed = true;
    out.push({ kind: "tell", tell: () => named(agent) });
  }

  function contextOf(core: SessionCore, { now, random, out }: SessionContext): ProducerContext {
    const makeUuid = (): string => makeId(now + core.connection.serverOffsetMs, random);
    return { now, random, out, makeUuid };
  }

  return {
    described: undefined,
    checks: publisherChecks,
    hello() {
      return { agent: this.described };
    },
    get identity() {
      return identity;
    },
    get maySpeak() {
      return isNamed;
    },
    get isBusy() {
      return [...producers].some(({ kept }) => kept.length > 0);
    },
    get dueMs() {
      const due = [...producers].flatMap(({ retryAtMs }) => retryAtMs ?? []);
      return due.length === 0 ? undefined : Math.min(...due);
    },
    due(now) {
      for (const producer of producers) if ((producer.retryAtMs ?? now + 1) <= now) producer.retryAtMs = undefined;
    },
    welcomed(_core, { agent }, context) {
      isNamed = !isAgent;
      if (agent !== undefined) name(agent, context);
    },
    read(core, message, context) {
      switch (message.type) {
        case "agent":
          name({ id: message.id, name: message.name, generation: message.generation }, context);
          return;
        case "published":
          for (const producer of producers) readPublished(producer, message, contextOf(core, context));
          return;
        case "refused":
          for (const producer of producers)
            if (producer.uuid === message.producer)
              readPublishRefused(producer, message.sequence, message.error, contextOf(core, context));
      }
    },
    flush({ connection: { state } }, { out }) {
      const { publishBytes } =
        state.kind === "open" ? state.welcome.limits : { publishBytes: limits.publishUnderWayBytesMax };
      let room = publishBytes;
      for (const producer of producers) room -= producer.underWayBytes;
      for (const producer of producers) {
        const before = producer.underWayBytes;
        flushProducer(producer, before + room, out);
        room -= producer.underWayBytes - before;
        if (producer.closing && producer.kept.length === 0) producers.delete(producer);
      }
    },
    lose() {
      isNamed = !isAgent;
      for (const producer of producers) rewindProducer(producer);
    },
    abandon(why, { out }) {
      identity = undefined;
      for (const producer of producers) stopProducer(producer, why, out);
      producers.clear();
    },
    open(core, stream, hears, context) {
      const producer = makeProducer(stream, contextOf(core, context).makeUuid(), hears);
      producers.add(producer);
      return producer;
    },
    publish({ connection: { state } }, producer, text, decided, { out }) {
      const { stopped } = producer;
      if (stopped !== undefined) {
        out.push({ kind: "tell", tell: () => decided(stopped, true) });
        return;
      }
      const { eventBytes } = state.kind === "open" ? state.welcome.limits : { eventBytes: limits.eventBytesMax };
      if (!isTooLarge(text, eventBytes)) {
        queueEvent(producer, text, decided);
        return;
      }
      // It would close the connection instead of being judged (TR-3): decided here, without a sequence.
      const details = { limitBytes: eventBytes };
      const error = new ProtocolError("too_large", `${producer.stream}: the event exceeds ${eventBytes} bytes`, {
        details,
      });
      out.push({ kind: "tell", tell: () => decided(error, false) });
    },
    close(producer) {
      producer.closing = true;
      producer.accepting = false;
      if (producer.kept.length === 0) producers.delete(producer);
    },
  };
}
