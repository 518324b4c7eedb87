/**
 * One application's reading of one stream, told to the judge as it happens.
 *
 * It is what a page would write around `session.subscribe`: handlers that fold. What it adds is the report of every
 * event, jump, snapshot and reset, in the order in which the application had them.
 */
import type { SubscribeOptions } from "@holdfast/client";
import type { Cursor } from "@holdfast/protocol";
import type { Observation } from "../judge/observation.ts";
import { boardStream } from "../world/app.ts";
import { boardFold, contentOf, foldRequests, taintOf } from "./content.ts";

export interface ReadingParts {
  readonly reader: string;
  readonly client: string;
  readonly workspace: string;
  readonly stream: string;
  readonly from: SubscribeOptions["from"];
  /** What `from` belongs to, and the name under which it was stored (ST-6). */
  readonly kept?: { readonly fold: KeptFold; readonly name: string };
  readonly now: () => number;
  readonly observe: (observation: Observation) => void;
  /** Whether the application's handler throws now; it is given the same again (ST-6). */
  readonly stumbles?: () => boolean;
  /** Whether the application cannot apply this event at all, and is to have it skipped (ST-6). */
  readonly chokesAt?: (offset: number) => boolean;
  /** It was given such an event alone, for the so-manieth time: once all is settled, its cursor says whether that was skipped. */
  readonly choked?: (times: number) => void;
  /** Each event after it was reported: for whoever follows a domain in it. */
  readonly seen?: (event: string, data: unknown) => void;
  /** All of the former user is being dropped (OP-5): what is reset now is so for that. */
  readonly isForsaken?: () => boolean;
  /** Each snapshot, whole. */
  readonly seenState?: (data: Readonly<Record<string, unknown>>) => void;
}

/** What a page keeps of its reading beside the cursor. */
export interface KeptFold {
  readonly state: string;
  readonly isWhole: boolean;
}

export interface Reading {
  readonly options: SubscribeOptions;
  /** Offsets applied. */
  readonly deliveries: number;
  readonly fold: KeptFold;
  /** Its cursor stands here: what it was to skip before that is skipped. */
  standsAt(offset: number): void;
  /** The same where nothing is under way: what retention removed before that is passed, too (ST-10). */
  restsAt(cursor: Cursor): void;
}

/** Thrown at an event that must be skipped. */
class Unappliable extends Error {
  override readonly name = "Unappliable";
}

export function reading(parts: ReadingParts): Reading {
  const { reader, workspace, stream, from, now, observe, stumbles, chokesAt, seen, seenState } = parts;
  const isForsaken = (): boolean => parts.isForsaken?.() === true;
  const isBoard = stream === boardStream;
  let deliveries = 0;
  let state = parts.kept?.fold.state ?? boardFold.initial;
  /** The fold is of the whole log only where the reading began at its beginning, or with a snapshot. */
  let isWhole = parts.kept?.fold.isWhole ?? from === "start";
  /** The last offset given; undefined until something places it. */
  let last = typeof from === "object" ? from.offset : undefined;
  /** What retention removed is only passed over (ST-10); that it did remove it is the judge's to say. */
  const pass = (epoch: string, through: number): void => {
    if (last !== undefined && through > last)
      observe({ kind: "passedOver", at: now(), reader, epoch, offset: last + 1, through, why: "retention" });
    last = through;
  };
  /** The one event that was given alone and could not be applied, until the cursor has passed it. */
  let choked: { readonly epoch: string; readonly offset: number; readonly through: number } | undefined;
  let chokings = { offset: 0, times: 0 };
  const standsAt = (offset: number): void => {
    if (choked === undefined || offset < choked.through || isForsaken()) return;
    observe({ kind: "passedOver", at: now(), reader, ...choked, why: "application" });
    last = choked.through;
    choked = undefined;
  };
  const stored = parts.kept === undefined ? {} : { stored: parts.kept.name };
  observe({ kind: "readerOpened", at: now(), reader, client: parts.client, workspace, stream, from, ...stored });
  return {
    get deliveries() {
      return deliveries;
    },
    get fold() {
      return { state, isWhole };
    },
    standsAt,
    restsAt({ epoch, offset }) {
      standsAt(offset);
      if (choked === undefined && !isForsaken()) pass(epoch, offset);
    },
    options: {
      from,
      onError: (error, { retry, skip }) => (error instanceof Unappliable ? skip() : retry()),
      onEvents(events, { cursor }) {
        if (isForsaken()) return;
        const [first] = events;
        if (first !== undefined) standsAt(first.offset - 1);
        if (stumbles?.() === true) throw new Error("the application stumbles");
        if (chokesAt !== undefined && events.some(({ offset }) => chokesAt(offset))) {
          const { epoch } = cursor;
          choked = first && events.length === 1 ? { epoch, offset: first.offset, through: first.through } : undefined;
          if (choked !== undefined) {
            const { offset } = choked;
            chokings = chokings.offset === offset ? { offset, times: chokings.times + 1 } : { offset, times: 1 };
            parts.choked?.(chokings.times);
          }
          throw new Unappliable("the application cannot apply it");
        }
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
        if (isForsaken()) return;
        choked = undefined;
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
        if (isForsaken()) return;
        choked = undefined;
        state = boardFold.initial;
        isWhole = false;
        last = undefined;
        observe({ kind: "resetTold", at: now(), reader, reason });
      },
      onStatus({ kind }) {
        if (kind === "refused" && !isForsaken()) observe({ kind: "readerRefused", at: now(), reader });
      },
    },
  };
}
