/**
 * Judges what clients were given against what the log holds, read once more by somebody who was never cut. Pure.
 *
 * Each figure counts single events or requests, and each must be 0. It knows nothing of connections: whatever
 * happened on the way, only what arrived counts.
 */

export interface Applied {
  readonly offset: number;
  readonly text: string;
}

export interface Verdict {
  /** In the log and not applied, or issued, told as done, and in no log. */
  lost: number;
  /** Applied twice, or in the log twice. */
  repeated: number;
  /** Applied or logged behind something that came later. */
  reordered: number;
  /** Applied or logged, though nobody wrote it, or with another text than the log's. */
  phantom: number;
}

/** One reader of one stream: `applied` must be the log, from its first event to its last. */
export function judgeReading(log: readonly Applied[], applied: readonly Applied[]): Verdict {
  const verdict: Verdict = { lost: 0, repeated: 0, reordered: 0, phantom: 0 };
  const texts = new Map(log.map(({ offset, text }) => [offset, text]));
  const seen = new Set<number>();
  let last = 0;
  for (const { offset, text } of applied) {
    if (texts.get(offset) !== text) verdict.phantom += 1;
    else if (seen.has(offset)) verdict.repeated += 1;
    else if (offset < last) verdict.reordered += 1;
    seen.add(offset);
    last = Math.max(last, offset);
  }
  verdict.lost = log.filter(({ offset }) => !seen.has(offset)).length;
  return verdict;
}

/** One writer: the log must hold each of its texts once, in the order in which they were written, and no other. */
export function judgeWriting(log: readonly string[], written: readonly string[]): Verdict {
  const verdict: Verdict = { lost: 0, repeated: 0, reordered: 0, phantom: 0 };
  const order = new Map(written.map((text, index) => [text, index]));
  const seen = new Set<string>();
  let last = -1;
  for (const text of log) {
    const at = order.get(text);
    if (at === undefined) verdict.phantom += 1;
    else if (seen.has(text)) verdict.repeated += 1;
    else if (at < last) verdict.reordered += 1;
    seen.add(text);
    last = Math.max(last, at ?? last);
  }
  verdict.lost = written.filter((text) => !seen.has(text)).length;
  return verdict;
}

export function sum(verdicts: readonly Verdict[]): Verdict {
  const all: Verdict = { lost: 0, repeated: 0, reordered: 0, phantom: 0 };
  for (const verdict of verdicts)
    for (const figure of ["lost", "repeated", "reordered", "phantom"] as const) all[figure] += verdict[figure];
  return all;
}
