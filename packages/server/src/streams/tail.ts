/**
 * The hot tail of one stream in memory: its last events, encoded once, for readers that are a little behind.
 *
 * Invariant: the events are a contiguous run that ends at {@link Tail.last}; it accepts only `last + 1`
 * (ST-13). Bounded by events and bytes; what falls off is read from the store.
 */
import type { EncodedEvent } from "../store/port.ts";

export const tailEventsMax = 1_000;
export const tailBytesMax = 1024 * 1024;

export interface Tail {
  /** Offset of the last event; 0 while empty. */
  readonly last: number;
  readonly first: number;
  readonly bytes: number;
  /** Takes a run that starts at `offset`; one that does not continue the tail replaces it. */
  accept(offset: number, events: readonly EncodedEvent[]): void;
  /** The events after `offset`, as far as `bytesMax`; undefined where the tail does not hold `offset + 1`. */
  after(offset: number, bytesMax: number): readonly EncodedEvent[] | undefined;
}

export function createTail(): Tail {
  let events: EncodedEvent[] = [];
  let first = 1;
  let bytes = 0;

  const trim = (): void => {
    let drop = 0;
    while (events.length - drop > tailEventsMax || (bytes > tailBytesMax && events.length - drop > 1)) {
      bytes -= events[drop]?.json.length ?? 0;
      drop += 1;
    }
    if (drop > 0) events = events.slice(drop);
    first += drop;
  };

  return {
    get last() {
      return events.length === 0 ? 0 : first + events.length - 1;
    },
    get first() {
      return first;
    },
    get bytes() {
      return bytes;
    },
    accept(offset, run) {
      const last = events.length === 0 ? offset - 1 : first + events.length - 1;
      if (offset > last + 1 || events.length === 0) {
        events = [];
        bytes = 0;
        first = offset;
      }
      const fresh = offset > last ? run : run.slice(last + 1 - offset);
      for (const event of fresh) {
        events.push(event);
        bytes += event.json.length;
      }
      trim();
    },
    after(offset, bytesMax) {
      const index = offset + 1 - first;
      if (events.length === 0 || index < 0 || index >= events.length) return undefined;
      return takeBytes(events, index, bytesMax);
    },
  };
}

/** At least one event from `index` on, and as many more as fit in `bytesMax`. */
export function takeBytes(events: readonly EncodedEvent[], index: number, bytesMax: number): readonly EncodedEvent[] {
  let end = index;
  let bytes = 0;
  while (end < events.length) {
    bytes += events[end]?.json.length ?? 0;
    if (end > index && bytes > bytesMax) break;
    end += 1;
  }
  return events.slice(index, end);
}
