/**
 * The ledger: what this page was handed of each stream it read, counted beside the session and not by it.
 *
 * Life cycle: it listens from the session's first subscription on; each reader has a coverage of its own, and a stream's
 * line sums them. Invariant: only what a handler has taken counts. A hole is no loss before it was asked for again: old
 * events that a newer keyframe replaces are removed (ST-10), and the session passes over those.
 */
import type { SubscribeOptions, Subscription } from "@holdfast/client";
import type { Cursor } from "@holdfast/protocol";
import { Coverage, type Run } from "./coverage.ts";

/** Further streams take the place of the one that was begun first; its faults stay in the totals. */
const streamsMax = 200;

export interface LedgerFaults {
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  /** Passed over, and not asked for again yet. */
  readonly unchecked: number;
}

export interface LedgerTotals extends LedgerFaults {
  /** Complete to this offset, but for what is lost; of several streams the one that is longest. */
  readonly through: number;
}

export interface LedgerLine extends LedgerTotals {
  readonly stream: string;
}

export interface Ledger {
  /** Of the streams that were read, the newest first. */
  lines(): readonly LedgerLine[];
  totals(): LedgerTotals;
}

type Subscribe = (stream: string, options: SubscribeOptions) => Subscription;

/** The same session with a ledger of what its readers were handed. */
export function withLedger<Session extends { readonly subscribe: Subscribe }>(
  session: Session,
): { readonly session: Session; readonly ledger: Ledger } {
  const streams = new Map<string, Coverage[]>();
  const dropped: Coverage[] = [];

  const coverageOf = (stream: string): Coverage => {
    const coverage = new Coverage();
    const readers = streams.get(stream) ?? [];
    streams.delete(stream);
    streams.set(stream, [...readers, coverage]);
    const [oldest] = streams.size > streamsMax ? streams.keys() : [];
    if (oldest !== undefined) {
      dropped.push(summed(streams.get(oldest) ?? []));
      streams.delete(oldest);
    }
    return coverage;
  };

  const subscribe: Subscribe = (stream, options) => {
    const coverage = coverageOf(stream);
    coverage.begin(typeof options.from === "string" ? undefined : options.from.offset);
    return session.subscribe(stream, {
      ...options,
      onEvents(events, position) {
        options.onEvents(events, position);
        for (const { offset, through } of events) {
          const hole = coverage.add(offset, through);
          if (hole !== undefined)
            check(session, stream, position.cursor, hole, (there) => coverage.settle(hole, there));
        }
      },
      ...(options.onSnapshot && {
        onSnapshot(data, position) {
          options.onSnapshot?.(data, position);
          coverage.begin(position.cursor.offset);
        },
      }),
      onReset(reset) {
        options.onReset?.(reset);
        coverage.begin(undefined);
      },
    });
  };

  return {
    session: withSubscribe(session, subscribe),
    ledger: {
      lines: () =>
        [...streams].reverse().map(([stream, readers]) => ({
          stream,
          ...totalsOf(readers),
        })),
      totals: () => totalsOf([...dropped, ...[...streams.values()].flat()]),
    },
  };
}

/** All else is the session's own: each function stays the same one, whoever asks for it. */
function withSubscribe<Session extends object>(session: Session, subscribe: Subscribe): Session {
  const own = new Map<unknown, unknown>([["subscribe", subscribe]]);
  return new Proxy(session, {
    get(target, name) {
      if (own.has(name)) return own.get(name);
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      own.set(name, value.bind(target));
      return own.get(name);
    },
  });
}

/** Asks for a hole once more: of what is still there something was lost, of what the server has removed nothing. */
function check(
  session: { readonly subscribe: Subscribe },
  stream: string,
  { epoch }: Cursor,
  [from, through]: Run,
  done: (there: number) => void,
): void {
  let there = 0;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    queueMicrotask(() => subscription.unsubscribe());
    done(there);
  };
  const subscription = session.subscribe(stream, {
    from: { epoch, offset: from - 1 },
    onEvents(events) {
      for (const event of events) {
        if (event.offset > through) return end();
        there += Math.min(event.through, through) - event.offset + 1;
        if (event.through >= through) return end();
      }
    },
    // Its history is another one by now: there is nothing to compare with.
    onReset: end,
    onStatus: ({ kind }) => {
      if (kind === "live" || kind === "refused") end();
    },
  });
}

function totalsOf(readers: readonly Coverage[]): LedgerTotals {
  const { lost, repeated, reordered } = summed(readers);
  const unchecked = readers.flatMap((one) => one.unchecked).reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const through = readers.reduce((longest, one) => Math.max(longest, one.through), 0);
  return { through, lost, repeated, reordered, unchecked };
}

function summed(readers: readonly Coverage[]): Coverage {
  const sum = new Coverage();
  for (const { lost, repeated, reordered } of readers) {
    sum.lost += lost;
    sum.repeated += repeated;
    sum.reordered += reordered;
  }
  return sum;
}
