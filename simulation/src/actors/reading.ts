/**
 * One application's reading of one stream, told to the judge as it happens.
 *
 * It is what a page would write around `session.subscribe`: handlers that fold. What it adds is the report of every
 * event, jump, snapshot and reset, in the order in which the application had them.
 */
import type { SubscribeOptions } from "@holdfast/client";
import type { Observation } from "../judge/observation.ts";
import { boardStream } from "../world/app.ts";
import { boardFold, contentOf, foldRequests, taintOf } from "./content.ts";

export interface ReadingParts {
  readonly reader: string;
  readonly client: string;
  readonly workspace: string;
  readonly stream: string;
  readonly from: SubscribeOptions["from"];
  readonly now: () => number;
  readonly observe: (observation: Observation) => void;
  /** Whether the application's handler throws now; it is given the same again (ST-6). */
  readonly stumbles?: () => boolean;
  /** Each event after it was reported: for whoever follows a domain in it. */
  readonly seen?: (event: string, data: unknown) => void;
  /** All of the former user is being dropped (OP-5): what is reset now is so for that. */
  readonly isForsaken?: () => boolean;
  /** Each snapshot, whole. */
  readonly seenState?: (data: Readonly<Record<string, unknown>>) => void;
}

export interface Reading {
  readonly options: SubscribeOptions;
  /** Offsets applied. */
  readonly deliveries: number;
  readonly state: string;
  /** Its handler threw last: its cursor is about to be put back. */
  readonly hasStumbled: boolean;
}

export function reading(parts: ReadingParts): Reading {
  const { reader, workspace, stream, from, now, observe, stumbles, seen, seenState } = parts;
  const isBoard = stream === boardStream;
  let deliveries = 0;
  let hasStumbled = false;
  let state = boardFold.initial;
  /** The fold is of the whole log only where the reading began at its beginning, or with a snapshot. */
  let isWhole = from === "start";
  /** The last offset given; undefined until something places it. */
  let last = typeof from === "object" ? from.offset : undefined;
  /** What retention removed is only passed over (ST-10); that it did remove it is the judge's to say. */
  const pass = (epoch: string, through: number): void => {
    if (last !== undefined && through > last)
      observe({ kind: "passedOver", at: now(), reader, epoch, offset: last + 1, through, why: "retention" });
    last = through;
  };
  observe({ kind: "readerOpened", at: now(), reader, client: parts.client, workspace, stream, from });
  return {
    get deliveries() {
      return deliveries;
    },
    get state() {
      return state;
    },
    get hasStumbled() {
      return hasStumbled;
    },
    options: {
      from,
      onError: (_error, { retry }) => retry(),
      onEvents(events, { cursor }) {
        hasStumbled = stumbles?.() === true;
        if (hasStumbled) throw new Error("the application stumbles");
        for (const { event, data, offset, through } of events) {
          deliveries += through - offset + 1;
          pass(cursor.epoch, offset - 1);
          last = through;
          const content = contentOf({ event, data });
          const taint = taintOf(data);
          if (isBoard) state = boardFold.next(state, content);
          observe({
            kind: "delivered",
            at: now(),
            reader,
            epoch: cursor.epoch,
            offset,
            content,
            ...(through === offset ? {} : { through }),
            ...(taint === undefined ? {} : { taint }),
          });
          seen?.(event, data);
        }
        pass(cursor.epoch, cursor.offset);
        if (isBoard && isWhole)
          observe({ kind: "shown", at: now(), reader, epoch: cursor.epoch, offset: cursor.offset, state });
      },
      onSnapshot(data, { cursor }) {
        const { epoch, offset } = cursor;
        last = offset;
        if (!isBoard) {
          observe({ kind: "snapshotTold", at: now(), reader, epoch, offset });
          seenState?.(data);
          return;
        }
        state = foldRequests(workspace, data["requests"] as readonly string[]);
        isWhole = true;
        observe({ kind: "snapshotTold", at: now(), reader, epoch, offset, state });
      },
      onReset({ reason }) {
        if (parts.isForsaken?.() === true) return;
        state = boardFold.initial;
        isWhole = false;
        last = undefined;
        observe({ kind: "resetTold", at: now(), reader, reason });
      },
      onStatus({ kind }) {
        if (kind === "refused") observe({ kind: "readerRefused", at: now(), reader });
      },
    },
  };
}
