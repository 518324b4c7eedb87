/** One stream of this client as a value: what is asked on the wire, who reads it here, what is being repaired. */
import type { Cursor, From, ProtocolError } from "@holdfast/protocol";
import type { SessionStatistics, SubscribeOptions, SubscriptionStatus } from "../api.ts";
import type { LagFigures } from "./displayLag.ts";

export interface Stream {
  readonly name: string;
  readonly subscribers: Set<Subscriber>;
  /** The newest `sub`, on this connection; undefined while nothing is asked. */
  sub: number | undefined;
  asked: From | undefined;
  /** The echo of the newest `sub` has come: only then is anything of the stream heard. */
  answered: boolean;
  /** Of the newest answer: a cursor of another history is not served by what is read now. */
  epoch?: string;
  head: number;
  /** Parts still to come; `position` is the state that they make. */
  parts:
    | { readonly total: number; read: number; readonly data: Record<string, unknown>; readonly position: Cursor }
    | undefined;
  pending: string | undefined;
  refused: ProtocolError | undefined;
  /** What is asked no longer fits who reads: ask again at the next flush. */
  stale: boolean;
  readonly repair: Repair;
}

/** Of the whole session, from its start. */
export type Counts = { -readonly [Name in Exclude<keyof SessionStatistics, keyof LagFigures>]: number };

/** One local reader; the object itself names it. */
export interface Subscriber {
  /** Of its stream. */
  readonly name: string;
  /** Its own functions. */
  readonly options: SubscribeOptions;
  /** What it asks for while it has no cursor. */
  from: "start" | "latest";
  /** Whether a snapshot that another asked for is taken too. Who asked for a log keeps its log. */
  readonly takesSnapshots: boolean;
  /** After the last that was handed over. */
  cursor: Cursor | undefined;
  /** Where it stood before what is handed over and not applied yet; undefined: its handler has applied all (ST-6). */
  before?: { readonly cursor: Cursor | undefined } | undefined;
  stopped?: { readonly error: unknown; skipTo: Cursor | undefined; readonly single: boolean } | undefined;
  /** Events up to here are handed over one by one; the first that throws is left out. */
  isolateThrough?: number | undefined;
  status: SubscriptionStatus;
  /** The status as far as it was told: what the program sees. */
  shown: SubscriptionStatus;
  /** Its program has let go of it: nothing more is given. */
  gone: boolean;
}

export interface Repair {
  atMs?: number | undefined;
  recentMs: number[];
  /** The newest question was a repair; its answer counts. */
  underWay: boolean;
}
