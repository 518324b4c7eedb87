/**
 * The reference model of readers: where each stands in its log, and what may come to it next.
 *
 * Life cycle: opened → placed by what it asked from, or *free* until something places it (`"latest"`, a reset) →
 * closed. A reader that was sent what a rollback then took is *ahead*: it must be told to start anew before anything
 * else. It judges nothing; `invariants/contiguousReading.ts` does, and moves the readers.
 */
import { type Log, type Logs, nameOf } from "./logs.ts";

export interface Reader {
  readonly name: string;
  readonly client: string;
  readonly workspace: string;
  readonly log: Log;
  /** The epoch it reads; undefined until something names it. */
  epoch: string | undefined;
  /** The last offset applied. */
  offset: number;
  /** What comes next may be anything of the log: nothing has placed it yet. */
  isFree: boolean;
  /** It asked from the start, and a beginning that was removed need not be told (ST-10). */
  isAtStart: boolean;
  /** How many rollbacks of its log it has been judged against. */
  ghosts: number;
  isAhead: boolean;
  isRefused: boolean;
  /** Ranges that it was moved past without being told, for telling a late event from a repeated one. */
  readonly missed: { readonly offset: number; readonly through: number }[];
}

/** A cursor that was kept with its state (ST-6). */
export interface StoredCursor {
  readonly epoch: string;
  readonly offset: number;
}

export interface Readers {
  readonly open: ReadonlyMap<string, Reader>;
  add(reader: Omit<Reader, "log" | "ghosts" | "isAhead" | "isRefused" | "missed"> & { readonly stream: string }): void;
  /** Undefined where nobody opened it, or it was closed. */
  of(name: string): Reader | undefined;
  remove(name: string): void;
  readonly stored: Map<string, StoredCursor>;
}

export function makeReaders(logs: Logs): Readers {
  const open = new Map<string, Reader>();
  return {
    open,
    stored: new Map(),
    add({ stream, ...reader }) {
      const log = logs.of(reader.workspace, stream);
      // A cursor may stand beyond a rollback that came before the reader did: that is its own affair below.
      open.set(reader.name, { ...reader, log, ghosts: 0, isAhead: false, isRefused: false, missed: [] });
    },
    of: (name) => open.get(name),
    remove: (name) => open.delete(name),
  };
}

/** Marks a reader that stands beyond what a rollback left. Cheap where nothing was rolled back. */
export function judgeRollbacks(reader: Reader): void {
  const { ghosts } = reader.log;
  for (; reader.ghosts < ghosts.length; reader.ghosts += 1) {
    const lost = ghosts[reader.ghosts];
    if (lost !== undefined && reader.epoch === lost.epoch && reader.offset >= lost.offset) reader.isAhead = true;
  }
}

export function placeOf(reader: Reader): string {
  return `${reader.name} of ${nameOf(reader.log)} at ${reader.epoch ?? "no epoch"}:${reader.offset}`;
}
