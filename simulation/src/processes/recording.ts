/**
 * A reader that writes down what it was given: the production client's own way to read, with what it keeps across reloads.
 *
 * It runs in a Node process and in a page alike. What it keeps with its cursor is the fold of everything that it ever
 * applied, so that after a reload the judge can compare all of it with the log, also what nobody wrote down. One reader
 * is one life of one stream: `<client>#<life>/<stream>`.
 */
import type { AppliedEvent, Session, Subscription } from "@holdfast/client";
import { type SessionStorage, subscribeStored } from "@holdfast/client/storage";
import type { Observation } from "../judge/observation.ts";
import { contentFold, contentOf } from "./content.ts";

export interface RecordingParts {
  readonly session: Session;
  readonly storage: SessionStorage;
  readonly identity: { readonly user: string; readonly workspace: string };
  /** `<client>#<life>`. */
  readonly client: string;
  readonly now: () => number;
  readonly observe: (...observations: readonly Observation[]) => void;
  /** Hears each batch after it was written down. */
  readonly applied?: (stream: string, events: readonly AppliedEvent[]) => void;
}

/** What is kept beside the cursor. `fold`: absent where the log's could not be followed, after a reset or a skipped run. */
interface Kept {
  readonly epoch: string;
  readonly offset: number;
  readonly fold?: string;
}

export interface Recording {
  readonly stream: string;
  readonly subscription: Subscription;
  readonly offset: number;
  /** Writes down where it stands, at rest. */
  tellPosition(): void;
}

export function record(parts: RecordingParts, stream: string): Recording {
  const { session, storage, identity, client, now, observe } = parts;
  const reader = `${client}/${stream}`;
  let kept: Kept | undefined;
  let isOpened = false;

  function opened(): void {
    if (isOpened) return;
    isOpened = true;
    const from = kept === undefined ? "start" : { epoch: kept.epoch, offset: kept.offset };
    observe({ kind: "readerOpened", at: now(), reader, client, workspace: identity.workspace, stream, from });
    if (kept?.fold === undefined) return;
    const { epoch, offset, fold: state } = kept;
    observe({ kind: "shown", at: now(), reader, epoch, offset, state });
  }

  const subscription = subscribeStored(session, stream, {
    storage,
    identity,
    otherwise: "start",
    load(state) {
      kept = state as Kept;
      opened();
    },
    save: () => kept,
    onEvents(events, { cursor }) {
      opened();
      const fold = folded(kept === undefined ? contentFold.initial : kept.fold, events);
      observe(...events.map((event) => observationOf(event, reader, cursor.epoch, now())));
      kept = { ...cursor, ...(fold === undefined ? {} : { fold }) };
      parts.applied?.(stream, events);
    },
    onSnapshot(_data, { cursor }) {
      opened();
      observe({ kind: "snapshotTold", at: now(), reader, ...cursor });
      kept = { ...cursor };
    },
    onReset({ reason }) {
      opened();
      observe({ kind: "resetTold", at: now(), reader, reason });
    },
  });
  return {
    stream,
    subscription,
    get offset() {
      return subscription.cursor?.offset ?? 0;
    },
    tellPosition() {
      opened();
      const { cursor } = subscription;
      if (cursor === undefined) return;
      observe({ kind: "positioned", at: now(), reader, ...cursor });
      if (kept?.fold !== undefined) observe({ kind: "shown", at: now(), reader, ...cursor, state: kept.fold });
    },
  };
}

function observationOf(event: AppliedEvent, reader: string, epoch: string, at: number): Observation {
  const { offset, through } = event;
  if (event.event === "skipped") return { kind: "passedOver", at, reader, epoch, offset, through, why: "retention" };
  const content = contentOf(event.event, event.data);
  return { kind: "delivered", at, reader, epoch, offset, ...(through === offset ? {} : { through }), content };
}

function folded(fold: string | undefined, events: readonly AppliedEvent[]): string | undefined {
  let state = fold;
  for (const { event, data } of events) {
    // What was skipped is in the log's fold and not in ours.
    if (state === undefined || event === "skipped") return undefined;
    state = contentFold.next(state, contentOf(event, data));
  }
  return state;
}
