/**
 * What can be seen of a running system from outside, as plain data: the only thing that the judge is ever told.
 *
 * The simulation makes these as it goes; a run of real processes makes them afterwards, from what clients and
 * agents wrote down. Both read the same way: in the order of `at`, except that commits may all come first where
 * they were read from the log at the end. Invariant: every value survives JSON. An observation deliberately says
 * what happened and never what should have happened; that is the reference model's, which shares no code with the
 * product.
 *
 * Names. A *reader* is one application's reading of one stream, from one `readerOpened` to its `readerClosed`; a
 * page that reloads opens a new one. A *client* is whoever owns sockets (OP-2: one `instance`). A *producer* is
 * whatever counts its own events to one stream from 1. A *request* is named by a token that its effect carries
 * too, so that nothing depends on the ids of the wire.
 */

/** ms: virtual in the simulation, since the epoch in a run of real processes. Never decreases but for commits. */
export interface Timed {
  readonly at: number;
}

export type Observation = Timed &
  (
    | StreamObservation
    | ReaderObservation
    | RequestObservation
    | ProducerObservation
    | CommandObservation
    | ConnectionObservation
    | SystemObservation
  );

export type ObservationKind = Observation["kind"];
/** The observation of one kind. */
export type Observed<Kind extends ObservationKind> = Extract<Observation, { readonly kind: Kind }>;

/** What the store made durable. Seen where the commit succeeded, whether or not anybody was told. */
export type StreamObservation =
  /** One event is durable. `content` is compared for equality; that of a joined event is the contents joined (ST-12). */
  | {
      readonly kind: "committed";
      readonly workspace: string;
      readonly stream: string;
      readonly epoch: string;
      readonly offset: number;
      readonly content: string;
      /** Whose it is, where somebody produced it (PB-1). */
      readonly origin?: {
        readonly producer: string;
        readonly sequence: number;
        /** Where an agent published it: whose, and in which generation (OP-7). */
        readonly agent?: string;
        readonly generation?: number;
      };
    }
  /** The stream has a new epoch and keeps its first `head` events (ST-15). */
  | {
      readonly kind: "epochBegan";
      readonly workspace: string;
      readonly stream: string;
      readonly epoch: string;
      readonly head: number;
    }
  /** The store lost what it had above `head`: an old image was put back. The epoch is still the old one. */
  | { readonly kind: "rolledBack"; readonly workspace: string; readonly stream: string; readonly head: number }
  /** Retention removed these events, first and last included (ST-10). */
  | {
      readonly kind: "removed";
      readonly workspace: string;
      readonly stream: string;
      readonly offset: number;
      readonly through: number;
    };

/** What an application was given, and what it kept. */
export type ReaderObservation =
  | {
      readonly kind: "readerOpened";
      readonly reader: string;
      readonly client: string;
      readonly workspace: string;
      readonly stream: string;
      readonly from: "start" | "latest" | { readonly epoch: string; readonly offset: number };
      /** The kept state that `from` belongs to, by the name under which it was `stored`. */
      readonly stored?: string;
    }
  | { readonly kind: "readerClosed"; readonly reader: string }
  /** One event was applied: the handler returned. */
  | {
      readonly kind: "delivered";
      readonly reader: string;
      readonly epoch: string;
      readonly offset: number;
      /** The last offset that it covers; absent: `offset`. */
      readonly through?: number;
      readonly content: string;
      /** The workspace that the content itself says it belongs to, where it says one. */
      readonly taint?: string;
    }
  /** The reader was moved past events without them, and knows: `skipped` (ST-10), or the application said so (ST-6). */
  | {
      readonly kind: "passedOver";
      readonly reader: string;
      readonly epoch: string;
      readonly offset: number;
      readonly through: number;
      readonly why: "retention" | "application";
    }
  /** The application was told to drop its state (ST-3). */
  | { readonly kind: "resetTold"; readonly reader: string; readonly reason: "epoch" | "trimmed" }
  /** The application was given a whole state; `state` is compared with the fold of the log up to `offset` (ST-9). */
  | {
      readonly kind: "snapshotTold";
      readonly reader: string;
      readonly epoch: string;
      readonly offset: number;
      readonly state?: string;
    }
  /** The reader's own cursor, read at rest: what was applied, no more and no less (ST-6). Needed for `"latest"`. */
  | { readonly kind: "positioned"; readonly reader: string; readonly epoch: string; readonly offset: number }
  /** State and cursor were kept in one transaction (ST-6), under a name that a later reader may start from. */
  | {
      readonly kind: "stored";
      readonly reader: string;
      readonly name: string;
      readonly epoch: string;
      readonly offset: number;
    }
  /** What the application shows now, as a fold (REL-I18). */
  | {
      readonly kind: "shown";
      readonly reader: string;
      readonly epoch: string;
      readonly offset: number;
      readonly state: string;
    }
  /** The server will not serve it any more (ST-18); it need not converge. */
  | { readonly kind: "readerRefused"; readonly reader: string };

/** Requests with an effect. Those of methods declared `read` are not observed. */
export type RequestObservation =
  | {
      readonly kind: "requestIssued";
      readonly request: string;
      readonly client: string;
      /** The request that this one must follow (RQ-4). */
      readonly after?: string;
    }
  /** `unknown`: the application heard `timeout`, or its process ended first. */
  | {
      readonly kind: "requestSettled";
      readonly request: string;
      readonly outcome: "result" | "error" | "unknown" | "withdrawn";
      /** With `unknown`: the server never said anything of it, not even that it is to be sent again. */
      readonly isUnheard?: boolean;
    }
  /** The effect is durable. */
  | { readonly kind: "effectCommitted"; readonly request: string };

/** Producers' events, counted by the application from 1 for each producer. */
export type ProducerObservation =
  | {
      readonly kind: "produced";
      readonly producer: string;
      readonly workspace: string;
      readonly stream: string;
      readonly sequence: number;
      readonly content: string;
    }
  /** The application was told that this event is decided (PB-2). */
  | {
      readonly kind: "publishSettled";
      readonly producer: string;
      readonly sequence: number;
      readonly outcome: "durable" | "rejected";
    }
  /** It stopped, or its process died: what is not settled now is unknown. */
  | { readonly kind: "producerEnded"; readonly producer: string };

/** A command's life, as its sender, the log and the agent's program see it. */
export type CommandObservation =
  /** `command.send` was answered with a result. `client` sent it, and is to be told its end. */
  | { readonly kind: "commandAccepted"; readonly command: string; readonly client: string }
  /** `command.started` is durable. */
  | { readonly kind: "commandClaimed"; readonly command: string }
  /** The agent begins what the command says: its program runs. */
  | { readonly kind: "commandEffect"; readonly command: string }
  /** `command.finished` is durable. */
  | { readonly kind: "commandFinished"; readonly command: string; readonly outcome: string }
  /** A person was shown the end. */
  | {
      readonly kind: "personTold";
      readonly command: string;
      readonly client: string;
      readonly outcome: string;
    };

/**
 * Why a connection may rightly end. There is deliberately no word for a store, a bus or an identity provider that
 * fails: such an end is a violation of I5.
 */
export type ClosingCause =
  /** The network cut it, or swallowed its bytes. */
  | "network"
  /** The server or the client process ended, or was killed. */
  | "ended"
  /** The server told all to go (CL-9), or a role changed. */
  | "drain"
  /** The credential ended, was revoked, or is another person's. */
  | "authority"
  /** One side slept, was stopped, or had its timers throttled, beyond the limits of LV-2. */
  | "silence"
  /** The program closed it. */
  | "left"
  /** The peer broke the protocol, or its limits. */
  | "breach"
  /** OP-7. */
  | "fenced"
  /** AD-1, AD-3, AD-5: admission refused it. */
  | "admission";

export type ConnectionObservation =
  /**
   * An attempt to open a socket begins. `because`: what lets it pass the backoff (CL-4, CL-5, OP-5). `told`: the
   * server named the time (`retryAfter`); `credential`: a fresh one after a refusal, which CL-2 bounds to three.
   */
  | {
      readonly kind: "attempted";
      readonly client: string;
      readonly because?: "person" | "online" | "identity" | "told" | "credential";
      /** The server said when it may come (CL-4). */
      readonly notBefore?: number;
    }
  | { readonly kind: "welcomed"; readonly client: string }
  /** Every subscription has settled on the present connection (CL-3). */
  | { readonly kind: "settled"; readonly client: string }
  /** Told by whichever side knows first; once for each connection that was welcomed, or attempt that was not. */
  | {
      readonly kind: "closed";
      readonly client: string;
      readonly code: number;
      /** Absent: nobody knows of anything that would have ended it. */
      readonly cause?: ClosingCause;
    }
  /** How many sockets this client owns now (CL-6). */
  | { readonly kind: "socketsOwned"; readonly client: string; readonly count: number }
  /** What the client tells the application of its connection now (CL-11). */
  | { readonly kind: "clientState"; readonly client: string; readonly state: string }
  /** Its process or page is gone for good. Its readers, producers and requests end with it. */
  | { readonly kind: "clientEnded"; readonly client: string }
  /** Until when it may read (AU-8); null: no end. */
  | { readonly kind: "authorised"; readonly client: string; readonly until: number | null }
  /** It may read nothing from now on, or from `graceMs` later (AU-9). */
  | { readonly kind: "revoked"; readonly client: string; readonly graceMs: number }
  /** OP-7: this process of the agent has this generation now; an older one is fenced. */
  | { readonly kind: "generationGranted"; readonly agent: string; readonly generation: number }
  /** The agent's status, as all are told. `client` owns the agent's connection. */
  | {
      readonly kind: "agentStatus";
      readonly agent: string;
      readonly client: string;
      readonly status: "online" | "reconnecting" | "offline";
    };

export type SystemObservation =
  /** A dependency of the server works, or does not. */
  | {
      readonly kind: "dependency";
      readonly name: "store" | "bus" | "issuer";
      readonly isHealthy: boolean;
    }
  /** One line of a server's log, as it is written. */
  | {
      readonly kind: "logged";
      readonly node: string;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** Something that is bounded: bytes queued to one connection, timers armed, entries of a map. */
  | { readonly kind: "measured"; readonly what: string; readonly value: number; readonly max: number }
  /** Nobody caught it. */
  | { readonly kind: "uncaught"; readonly where: string; readonly error: string }
  /** From now on no fault acts: everything must converge (I10). */
  | { readonly kind: "healed" };

/** Every kind, for a table over all. */
const kinds: Readonly<Record<ObservationKind, true>> = {
  committed: true,
  epochBegan: true,
  rolledBack: true,
  removed: true,
  readerOpened: true,
  readerClosed: true,
  delivered: true,
  passedOver: true,
  resetTold: true,
  snapshotTold: true,
  positioned: true,
  stored: true,
  shown: true,
  readerRefused: true,
  requestIssued: true,
  requestSettled: true,
  effectCommitted: true,
  produced: true,
  publishSettled: true,
  producerEnded: true,
  commandAccepted: true,
  commandClaimed: true,
  commandEffect: true,
  commandFinished: true,
  personTold: true,
  attempted: true,
  welcomed: true,
  settled: true,
  closed: true,
  socketsOwned: true,
  clientState: true,
  clientEnded: true,
  authorised: true,
  revoked: true,
  generationGranted: true,
  agentStatus: true,
  dependency: true,
  logged: true,
  measured: true,
  uncaught: true,
  healed: true,
};
export const observationKinds = Object.keys(kinds) as readonly ObservationKind[];
