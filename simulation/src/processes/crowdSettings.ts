/** What a crowd is told at its start, and what it tells: the lines between it and who drives it. */

export interface CrowdSettings {
  readonly count: number;
  readonly url: string;
  readonly via: number;
  readonly data: string;
  readonly folder: string;
  readonly streams: readonly string[];
}

export interface CrowdStatus {
  /** Sessions that are live. */
  readonly live: number;
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
}
