/** One subscription as the hub sees it: a cursor, and something that takes frames while it has room. */

export interface Reader {
  /** Offset of the last event written to this reader. Moved by the hub only. */
  cursor: number;
  /** Where it began, if it asked from the start: until it has had something, a removed beginning is none of its. */
  origin: number | undefined;
  /** Whether it is fed by the catch-up (true) or by the fan-out. */
  behind: boolean;
  /** Whether nothing is joined for it while it catches up (ST-12). */
  readonly isPlain: boolean;
  /** False while the reader has more than `unsentBytesMax` unsent (ST-11): then only its cursor is kept. */
  hasRoom(): boolean;
  /** Takes one encoded frame, shared with other readers: it must not be changed. */
  write(frame: Uint8Array): void;
  /** The store does not give what comes next; it will, by itself (ST-7). Told once per outage. */
  pending(reason: string, ref: string): void;
  /** The stream's history was lost, or what comes next was removed: the reader is detached, and asks again with what it had (ST-11, ST-15). */
  lost(): void;
}
