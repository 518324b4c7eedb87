/**
 * The one table of lifetimes: how long each kind of row is kept, and how much of it (ST-10).
 *
 * An app names a row of it for each of its streams (`StreamFamily.lifetime`); a deployment may change the
 * numbers. Invariant: a stored answer lives longer than a request's id is accepted (RQ-1), so a clean-up
 * never turns a repeat into something new: `requests` is no setting for that reason.
 */
import { limits } from "@holdfast/protocol";

const dayMs = 86_400_000;
const gigabyte = 1_000_000_000;

export interface Lifetimes {
  /** Events of work: threads, their output and messages. */
  readonly workMs: number;
  /** Events of all streams with a lifetime, as stored. Above it, what is replaced goes first, then the oldest work. */
  readonly workBytesMax: number;
  /** Events that only tell of changes: lists, connections. */
  readonly recordsMs: number;
  readonly auditMs: number;
  /** What stands in an inbox after it was acknowledged. */
  readonly acknowledgedMs: number;
  /** What nobody acknowledged, and nothing waits for: longer than any command may wait. */
  readonly expiredMs: number;
  /** A producer that was silent for so long starts a new one (PB-3). */
  readonly producersMs: number;
}

export const defaultLifetimes: Lifetimes = {
  workMs: 90 * dayMs,
  workBytesMax: 10 * gigabyte,
  recordsMs: 14 * dayMs,
  auditMs: 365 * dayMs,
  acknowledgedMs: dayMs,
  expiredMs: 31 * dayMs,
  producersMs: 30 * dayMs,
};

/** RQ-1 */
export const requestsKeptMs: number = limits.requestKeptMs;

/** However full the store is, what is younger than this stays. */
export const keptAlwaysMs = dayMs;
