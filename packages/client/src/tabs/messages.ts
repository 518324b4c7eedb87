/**
 * What a tab and the host of the socket say to each other: typed, versioned, in batches, never over a network.
 *
 * Both ends are ours and of one origin, so nothing is validated but the first message: who joins names the
 * version of these messages and of the program, and another version does not share (an older page beside a
 * newer worker opens a socket of its own). Everything here survives the structured clone.
 */
import type { Cursor, ErrorBody, From, Identity, User } from "@holdfast/protocol";
import type {
  AppliedEvent,
  HeardSignal,
  SessionOptions,
  SessionState,
  SessionStatistics,
  SubscriptionStatus,
} from "../api.ts";
import type { Hint, TokenOutcome } from "../core/connectionState.ts";
import type { Position } from "../core/effects.ts";
import type { Order, SavedRequest } from "../durable/orders.ts";
import type { GivenId, NamedRequest } from "../storage/port.ts";

/** Raised with every change of these messages or of what they mean. */
export const tabsVersion = 3;

/** Why a tab is asked for a token (CL-7). */
export type TokenAsked = Parameters<NonNullable<SessionOptions["getToken"]>>[0];

/** What a tab says of the session that it wants; all who share want the same. */
export interface Wanted {
  readonly version: number;
  readonly url: string;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly usesToken: boolean;
}

export interface Join {
  readonly kind: "join";
  readonly wanted: Wanted;
  /** The lock that this tab holds while it lives. */
  readonly lock: string;
  /** Whose state this tab holds (OP-5). */
  readonly expect: Identity | undefined;
}

export type FromTab =
  | Join
  /** `key` is new with each asking: what came under an older one is ignored. */
  | {
      readonly kind: "subscribe";
      readonly key: number;
      readonly stream: string;
      readonly from: From;
      readonly takesSnapshots: boolean;
    }
  | { readonly kind: "unsubscribe"; readonly key: number }
  /** `isHeld`: it waits at the host until its tab releases it. */
  | { readonly kind: "call"; readonly order: Order; readonly isHeld: boolean }
  | { readonly kind: "release"; readonly ticket: string; readonly given: GivenId }
  | { readonly kind: "withdraw"; readonly ticket: string }
  /** The outcome of a saved request of another page. */
  | { readonly kind: "await"; readonly ticket: string }
  | { readonly kind: "signal"; readonly stream: string; readonly signal: string; readonly data: unknown }
  | { readonly kind: "hint"; readonly hint: Hint }
  | { readonly kind: "reconnect" }
  | { readonly kind: "token"; readonly request: number; readonly outcome: TokenOutcome }
  /** A token for an HTTP call of this tab (CL-7); `refused`: what the call went out with. */
  | { readonly kind: "wantToken"; readonly request: number; readonly refused: string | null | undefined }
  /** So many deliveries have been worked on, and what was to be shown is. */
  | { readonly kind: "applied"; readonly count: number; readonly isShown: boolean }
  /** Are you there? */
  | { readonly kind: "probe" }
  | { readonly kind: "leave" };

/** What a tab shows of the shared session. */
export interface ShownInTab {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: User | undefined;
  readonly outbox: number;
  readonly clockOffset: number;
  readonly saved: readonly SavedRequest[];
}

export type Delivery =
  | {
      readonly kind: "deliver";
      readonly subscriber: number;
      readonly events: readonly AppliedEvent[];
      readonly position: Position;
      readonly oneByOne: boolean;
    }
  | {
      readonly kind: "deliverSnapshot";
      readonly subscriber: number;
      readonly data: Readonly<Record<string, unknown>>;
      readonly position: Position;
    }
  | {
      readonly kind: "deliverReset";
      readonly subscriber: number;
      readonly reason: "epoch" | "trimmed";
      readonly lost: number | undefined;
    };

export type ToTab =
  /** `lock`: held by the host while it lives. `identity`: whose it is, or expects to be. */
  | { readonly kind: "joined"; readonly lock: string; readonly identity: Identity | undefined }
  | { readonly kind: "refused"; readonly reason: string }
  /** `serverNow`: the server's clock as this is said, ms. */
  | {
      readonly kind: "shown";
      readonly shown: ShownInTab;
      readonly identity: Identity | undefined;
      readonly serverNow: number;
    }
  | Delivery
  /** `cursor`: where this reader stands, once that is known. */
  | {
      readonly kind: "status";
      readonly subscriber: number;
      readonly status: SharedStatus;
      readonly cursor: Cursor | undefined;
    }
  | { readonly kind: "named"; readonly ticket: string; readonly named: NamedRequest }
  | {
      readonly kind: "settled";
      readonly ticket: string;
      readonly result: unknown;
      readonly error: ErrorBody | undefined;
    }
  | { readonly kind: "signalHeard"; readonly heard: HeardSignal }
  | { readonly kind: "identityChanged" }
  | { readonly kind: "askToken"; readonly request: number; readonly why: TokenAsked }
  /** Undefined: nobody can say now. */
  | {
      readonly kind: "tokenGiven";
      readonly request: number;
      readonly given: { readonly token: string | null } | undefined;
    }
  | { readonly kind: "probed" };

/** A status without an error object. One that stopped is the tab's own affair. */
export type SharedStatus =
  | Exclude<SubscriptionStatus, { kind: "refused" | "stopped" }>
  | { readonly kind: "refused"; readonly error: ErrorBody };
