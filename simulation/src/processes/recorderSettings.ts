/** What a recorder is told at its start, and what it tells while it runs: the lines between it and who drives it. */

export interface RecorderSettings {
  /** The client's name; with the life it names readers and connections. */
  readonly name: string;
  readonly life: number;
  /** The server's, http. */
  readonly url: string;
  /** The proxy's port. */
  readonly via: number;
  /** The server's data folder, for signing in as whoever may read it. */
  readonly data: string;
  /** The recorder's own: its cookie, its storage, its records. */
  readonly folder: string;
  readonly streams: readonly string[];
  /** Absent: it only reads. */
  readonly sends?: {
    /** Threads to which it sends, by id. */
    readonly threads: readonly string[];
    /** From one command to the next, ms, on average. */
    readonly everyMs: number;
    /** Commands of its own that may be unfinished. */
    readonly unfinishedMax: number;
    /** What each prints. */
    readonly lines: number;
    readonly lineEveryMs: number;
    /** Where each notes that it began. */
    readonly effects: string;
    readonly seed: number;
  };
}

/** One line of its standard output. */
export interface RecorderStatus {
  readonly state: string;
  /** Stream → offset of the last event applied. */
  readonly offsets: Readonly<Record<string, number>>;
  /** Requests that are not settled. */
  readonly outbox: number;
  /** Commands of its own without an end. */
  readonly unfinished: number;
  readonly reconnects: number;
  /** Times the session's credential was renewed. */
  readonly refreshes: number;
  readonly residentBytes: number;
}

/** One line of its standard input. `quiet`: nothing more is sent. `position`: write down where each reader stands. */
export type RecorderOrder = "quiet" | "position";
