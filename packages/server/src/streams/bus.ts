/**
 * Hints between the nodes of one store: "these streams have grown"; and signals, which nobody misses (ST-17).
 *
 * Life cycle: a node publishes the heads of each batch after its commit; every other node that listens and serves
 * one of these streams looks at the store at once, not only at its next head check. A bus is never the truth
 * (ST-14): a notice that is lost costs at most a second, and one that is repeated, late, out of order or wrong
 * costs a look. It carries no events, and deliberately promises nothing.
 */
import type { Appended } from "../store/port.ts";

export interface StreamHead {
  readonly workspace: string;
  readonly stream: string;
  readonly epoch: string;
  /** Offset of the last event that is known to be committed. */
  readonly head: number;
}

export type BusNotice =
  | { readonly kind: "heads"; readonly heads: readonly StreamHead[] }
  /** Which streams is not known: names were cut off, or notices may have been lost. */
  | { readonly kind: "all" }
  | { readonly kind: "signals"; readonly signals: readonly FarSignal[] };

/** A signal of somebody on another node, whom that node has verified. */
export interface FarSignal {
  readonly workspace: string;
  readonly stream: string;
  readonly signal: string;
  readonly from: string;
  /** At most `limits.signalDataBytesMax` as JSON. */
  readonly data?: unknown;
}

export interface Bus {
  /** Tells the other nodes. Never throws and never waits: what cannot be sent is found by the head check. */
  publish(heads: readonly StreamHead[]): void;
  /** The newest signals, in the place of what is not sent yet. Never throws and never waits; heads go first. */
  publishSignals(signals: readonly FarSignal[]): void;
  /** Hears other nodes, and perhaps itself. Returns the end of it. */
  listen(hear: (notice: BusNotice) => void): () => void;
}

/** The heads that a batch leaves behind. */
export function headsOf(appended: readonly Appended[]): StreamHead[] {
  return appended.map(({ workspace, stream, epoch, offset, events }) => ({
    workspace,
    stream,
    epoch,
    head: offset + events.length - 1,
  }));
}
