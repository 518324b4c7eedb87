/**
 * A log whose volume follows the number of distinct problems, not of clients or attempts (I9, AD-4).
 *
 * Life cycle of a problem: its first line is written at once → its repeats of the next minute are counted → one line
 * at the end of that minute says how many there were, with the newest error → quiet, or the next minute. Lines at
 * `info` have a number a minute for each event, then one line that says how many were not written; `debug` was asked
 * for and is never folded. Invariants: nothing is lost without being counted; memory is bounded by {@link foldsMax}.
 * It deliberately knows no problem: what makes two lines the same is their event, their operation, whom it was asked of
 * and their error.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import { toError } from "./errorRecord.ts";
import type { Log } from "./log.ts";

const foldMs = 60_000;
/** Distinct problems in a minute; those beyond share a fold with all others of their event. */
const foldsMax = 1_000;
/** Characters of an error's message that tell it from another. */
const messageLengthMax = 200;

type Fields = Readonly<Record<string, unknown>>;
type FoldedLevel = "info" | "warn" | "error";

export interface FoldedLogOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Lines of one event at `info` in a minute. */
  readonly infoLinesMax: number;
  /** Whether an error only repeats what somebody else tells already: counted with the next such line. */
  readonly isTold: (error: unknown) => boolean;
}

export interface FoldedLog extends Log {
  /** Writes what is counted, and leaves no timer; what still comes is folded without a last line. */
  stop(): void;
}

interface Fold {
  readonly level: FoldedLevel;
  readonly event: string;
  readonly linesMax: number;
  readonly endsAt: number;
  lines: number;
  folded: number;
  /** Fields of the newest line that was not written. */
  newest: Fields;
}

export function createFoldedLog({ log, clock, infoLinesMax, isTold }: FoldedLogOptions): FoldedLog {
  const folds = new Map<string, Fold>();
  let timer: TimerHandle | undefined;
  let stopped = false;

  /** Only where something waits to be said; the folds end in the order in which they began. */
  const arm = (): void => {
    const first = [...folds.values()].find(({ folded }) => folded > 0);
    if (timer !== undefined || first === undefined || stopped) return;
    timer = clock.after(Math.max(0, Math.ceil(first.endsAt - clock.monotonic())), () => {
      timer = undefined;
      end(clock.monotonic());
      arm();
    });
  };

  const end = (until: number): void => {
    for (const [key, fold] of folds) {
      if (fold.endsAt > until) return;
      folds.delete(key);
      if (fold.folded > 0) summarise(fold);
    }
  };

  const summarise = ({ level, event, folded, newest }: Fold): void => {
    if (level === "info") log.info("log.folded", { of: event, lines: folded, withinMs: foldMs });
    else log[level](event, { ...newest, repeated: folded, withinMs: foldMs });
  };

  const foldOf = (level: FoldedLevel, event: string, fields: Fields): Fold => {
    end(clock.monotonic());
    const wanted = level === "info" ? `info ${event}` : `${level} ${event} ${problemOf(fields)}`;
    const key = folds.has(wanted) || folds.size < foldsMax ? wanted : `${level} ${event}`;
    const known = folds.get(key);
    if (known !== undefined) return known;
    const linesMax = level === "info" ? infoLinesMax : 1;
    const fold: Fold = {
      level,
      event,
      linesMax,
      endsAt: clock.monotonic() + foldMs,
      lines: 0,
      folded: 0,
      newest: fields,
    };
    folds.set(key, fold);
    return fold;
  };

  const write =
    (level: FoldedLevel) =>
    (event: string, fields: Fields = {}): void => {
      if (level !== "info" && isTold(fields["error"])) return;
      const fold = foldOf(level, event, fields);
      if (fold.lines < fold.linesMax) {
        fold.lines += 1;
        log[level](event, fields);
        return;
      }
      fold.folded += 1;
      fold.newest = fields;
      arm();
    };

  return {
    debug: (event, fields) => log.debug(event, fields),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      timer = undefined;
      end(Number.POSITIVE_INFINITY);
    },
  };
}

/** What tells one problem from another: the operation, the provider and the error, without what differs from case to case. */
function problemOf(fields: Fields): string {
  const { error, operation, code, issuer, document, provider } = fields;
  const about = [operation, code, issuer, document, provider]
    .map((value) => (typeof value === "string" ? value : ""))
    .join(" ");
  if (error === undefined) return about;
  const { name, message, code: errorCode } = toError(error) as Error & { code?: unknown };
  const what = `${name} ${String(errorCode)} ${withoutIds(message.slice(0, messageLengthMax))}`;
  return isOfDatabase(errorCode) ? what : `${about} ${what}`;
}

/** An SQLSTATE: one table that cannot be read is one problem, whatever operations meet it (ST-8). */
function isOfDatabase(code: unknown): boolean {
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

/** Ids and numbers name the case, not the problem. */
function withoutIds(message: string): string {
  return message.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "#").replace(/\d+/g, "#");
}
