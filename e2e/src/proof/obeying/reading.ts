/**
 * The reading half of a client that obeys: cursors that outlive connections (section 5 of docs/PROTOCOL.md).
 *
 * Invariant: of each stream it applies `cursor + 1` and nothing else, so what it applied is one contiguous run
 * (ST-5). It keeps no socket: it says what to ask for, and is told what came.
 */
import type { Message } from "../../plainClient.ts";
import type { Applied } from "../verdict.ts";
import type { Counters } from "./counters.ts";

interface Following {
  cursor: { readonly epoch: string; readonly offset: number } | undefined;
  head: number;
  /** The newest `sub`, and whether its echo came (ST-2). */
  sub: number;
  isEchoed: boolean;
  isRepairing: boolean;
  readonly applied: Applied[];
}

export interface Reading {
  /** What the application was given of each stream, in the order in which it was. */
  readonly applied: ReadonlyMap<string, readonly Applied[]>;
  /** The body of a subscription from the cursor, with the connection's next `sub`. */
  ask(stream: string, sub: number): Readonly<Record<string, unknown>>;
  subscribed(message: Message): void;
  /** Applies a run; the stream's name where a gap must be repaired, by asking again. */
  events(message: Message): string | undefined;
  /** Each stream is answered for, and read to its head. */
  isAtHead(): boolean;
}

export function createReading(streams: readonly string[], counters: Counters): Reading {
  const following = new Map<string, Following>(
    streams.map((stream) => [
      stream,
      { cursor: undefined, head: 0, sub: 0, isEchoed: false, isRepairing: false, applied: [] },
    ]),
  );

  /** Whether the event is the next one or an old one; false is a gap. */
  const apply = (
    one: Following,
    cursor: { epoch: string; offset: number },
    offset: number,
    event: Message,
  ): boolean => {
    if (offset > cursor.offset + 1) return false;
    if (offset <= cursor.offset) counters.repeatsDropped += 1;
    else {
      one.applied.push({ offset, text: (event["data"] as { text: string }).text });
      one.cursor = { epoch: cursor.epoch, offset };
    }
    return true;
  };

  return {
    applied: new Map([...following].map(([stream, { applied }]) => [stream, applied])),
    ask(stream, sub) {
      const one = following.get(stream);
      if (one === undefined) throw new Error(`"${stream}" is not followed`);
      Object.assign(one, { sub, isEchoed: false, isRepairing: false });
      return { stream, sub, from: one.cursor ?? "start" };
    },
    subscribed(message) {
      const one = following.get(message["stream"] as string);
      if (one === undefined || one.sub !== message["sub"]) return;
      one.isEchoed = true;
      one.head = message["head"] as number;
      if (message["reset"] !== undefined) counters.resets += 1;
      one.cursor = { epoch: message["epoch"] as string, offset: message["offset"] as number };
    },
    events(message) {
      const stream = message["stream"] as string;
      const one = following.get(stream);
      // ST-2: between a newer question and its echo nothing of the stream is heard.
      if (one === undefined || !one.isEchoed) return undefined;
      one.head = Math.max(one.head, message["head"] as number);
      let offset = message["offset"] as number;
      for (const event of message["events"] as readonly Message[]) {
        offset = (event["offset"] as number | undefined) ?? offset;
        if (one.cursor === undefined || !apply(one, one.cursor, offset, event)) {
          if (one.isRepairing) return undefined;
          one.isRepairing = true;
          counters.gapsRepaired += 1;
          return stream;
        }
        offset = ((event["through"] as number | undefined) ?? offset) + 1;
      }
      return undefined;
    },
    isAtHead: () => [...following.values()].every(({ isEchoed, cursor, head }) => isEchoed && cursor?.offset === head),
  };
}
