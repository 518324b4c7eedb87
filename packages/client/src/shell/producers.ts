/** The faces of this session's producers (PB-1…PB-5): what a program holds of one. */
import { assert, type ProtocolError, type PublishedEvent } from "@holdfast/protocol";
import type { Producer } from "../api.ts";
import type { SessionCore } from "../core/sessionCore.ts";
import { guard } from "./handlers.ts";
import { type Promises, toJson } from "./promises.ts";

interface Face {
  readonly stream: string;
  readonly listeners: Set<() => void>;
  ordinals: number;
  closed: boolean;
  stopped: ProtocolError | undefined;
}

export interface Producers {
  open(stream: string): Producer;
  drained(producer: number): void;
  stopped(producer: number, error: ProtocolError): void;
}

type Say = (
  event:
    | { kind: "produce"; producer: number; stream: string }
    | { kind: "publish"; producer: number; text: string }
    | { kind: "closeProducer"; producer: number },
) => void;

export function makeProducers(
  core: SessionCore,
  promises: Promises,
  say: Say,
  report: (error: unknown) => void,
): Producers {
  const faces = new Map<number, Face>();
  let keys = 0;
  return {
    open(stream) {
      for (const face of faces.values())
        assert(
          face.stream !== stream || face.closed || face.stopped !== undefined,
          `${stream} has a producer already: close it first`,
        );
      keys += 1;
      const face: Face = { stream, listeners: new Set(), ordinals: 0, closed: false, stopped: undefined };
      faces.set(keys, face);
      say({ kind: "produce", producer: keys, stream });
      return producerFace(core, keys, face, promises, say, () => faces.delete(keys));
    },
    drained(key) {
      for (const listener of faces.get(key)?.listeners ?? []) guard(listener, report);
    },
    stopped(key, error) {
      const face = faces.get(key);
      if (face !== undefined) face.stopped = error;
    },
  };
}

function producerFace(
  core: SessionCore,
  key: number,
  face: Face,
  promises: Promises,
  say: Say,
  forget: () => void,
): Producer {
  return {
    stream: face.stream,
    get pendingBytes() {
      return core.producers.get(key)?.keptBytes ?? 0;
    },
    get accepting() {
      return !face.closed && (core.producers.get(key)?.accepting ?? false);
    },
    publish(event: PublishedEvent): Promise<ProtocolError | null> {
      assert(!face.closed, `the producer of ${face.stream} is closed`);
      if (face.stopped !== undefined) return handled(Promise.reject(face.stopped));
      const text = toJson(event, event.event);
      const decided = promises.make<ProtocolError | null>(`${key}/${face.ordinals}`);
      face.ordinals += 1;
      say({ kind: "publish", producer: key, text });
      return handled(decided);
    },
    onDrain(listener) {
      face.listeners.add(listener);
      return () => face.listeners.delete(listener);
    },
    close() {
      if (face.closed) return;
      face.closed = true;
      face.listeners.clear();
      forget();
      say({ kind: "closeProducer", producer: key });
    },
  };
}

/** Who does not wait for a decision must not fall over it; who does still hears it. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}
