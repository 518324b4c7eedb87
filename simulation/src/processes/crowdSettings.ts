/** What a crowd is told at its start, and what it tells: the lines between it and who drives it. */

export interface CrowdSettings {
  readonly count: number;
  readonly url: string;
  readonly via: number;
  /** The server's data folder, to sign in; absent where nobody has to (development mode). */
  readonly data?: string;
  readonly folder: string;
  /** What each of them reads. */
  readonly streams: readonly string[];
  /** Of these each reads one more, in turn. */
  readonly shares?: readonly string[];
}

export interface CrowdStatus {
  /** Sessions that are live. */
  readonly live: number;
  /** Sessions that know the server to be without its store. */
  readonly degraded: number;
  readonly deliveries: number;
  /** Attempts at a connection: one a session is right. */
  readonly attempts: number;
  /** Connections that ended. */
  readonly closings: number;
  /** Credentials that were renewed, and HTTP requests that were refused. */
  readonly refreshes: number;
  readonly refusals: number;
  /** The offset of whoever is farthest behind, in any stream. */
  readonly behind: number | null;
  /** When the newest event of whoever has the oldest was made, by the server's clock, in the shared streams; ms. */
  readonly freshAt: number | null;
}

export interface ReaderResult {
  readonly reader: string;
  readonly stream: string;
  offset: number;
  /** Absent where something was skipped. */
  fold?: string;
  /** Events that were not the next ones, and resets. */
  holes: number;
}

export interface CrowdResult extends CrowdStatus {
  readonly readers: readonly ReaderResult[];
  readonly phases: readonly PhaseFigures[];
}

/** What readers of shared streams saw from one order `phase <name>` to the next, all in ms, the least first. */
export interface PhaseFigures {
  readonly name: string;
  readonly events: number;
  /** From an event's commit to its delivery, by one machine's clock. */
  readonly delays: Quantiles;
  /** Of each reader the longest time without an event. */
  readonly pauses: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
