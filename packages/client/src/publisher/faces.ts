/** The faces of this session's producers (PB-1…PB-5): what a program holds of one. */
import { assert, type ProtocolError, type PublishedEvent } from "@holdfast/protocol";
import { guard } from "../core/effects.ts";
import type { OwnedSession } from "../openSession.ts";
import { report } from "../shell/handlers.ts";
import { toJson } from "../shell/json.ts";
import type { Producer as ProducerState } from "./producer.ts";
import type { PublisherRoom } from "./room.ts";

/** What a program says of one producer of one stream (PB-1…PB-5). */
export interface Producer {
  readonly stream: string;
  /** Bytes not yet `published`. */
  readonly pendingBytes: number;
  /** False while the buffer is over its limit: the source pauses (PB-4). */
  readonly accepting: boolean;
  /** Queues one event, in order; resolves when it is decided: `null`, or why it was rejected. Rejects only when the producer stopped. */
  publish(event: PublishedEvent): Promise<ProtocolError | null>;
  /** Calls back each time `accepting` turns true again. Returns how to stop it. */
  onDrain(listener: () => void): () => void;
  close(): void;
}

/** One producer a stream: `streams` names those that are open. */
export function openProducer(owned: OwnedSession, room: PublisherRoom, stream: string, streams: Set<string>): Producer {
  const { core, say } = owned;
  const listeners = new Set<() => void>();
  let state: ProducerState | undefined;
  let isClosed = false;
  let stoppedWhy: ProtocolError | undefined;
  assert(!streams.has(stream), `${stream} has a producer already: close it first`);
  streams.add(stream);
  say((turn) => {
    state = room.open(core, stream, { drained, stopped }, turn);
  });

  function drained(): void {
    for (const listener of listeners) guard(listener, report);
  }

  function stopped(error: ProtocolError): void {
    stoppedWhy = error;
    streams.delete(stream);
  }

  return {
    stream,
    get pendingBytes() {
      return state?.keptBytes ?? 0;
    },
    get accepting() {
      return !isClosed && (state?.accepting ?? false);
    },
    publish(event: PublishedEvent) {
      assert(!isClosed, `the producer of ${stream} is closed`);
      if (stoppedWhy !== undefined) return handled(Promise.reject(stoppedWhy));
      const text = toJson(event, event.event);
      const { promise, resolve, reject } = Promise.withResolvers<ProtocolError | null>();
      say((turn) => {
        if (state === undefined) return;
        room.publish(core, state, text, (rejection, isStopped) => (isStopped ? reject : resolve)(rejection), turn);
      });
      return handled(promise);
    },
    onDrain(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      listeners.clear();
      if (stoppedWhy === undefined) streams.delete(stream);
      say(() => {
        if (state !== undefined) room.close(state);
      });
    },
  };
}

/** Who does not wait for a decision must not fall over it; who does still hears it. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
