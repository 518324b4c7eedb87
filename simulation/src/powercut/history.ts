/**
 * What a store was told and what it acknowledged, from the outside; and what is then missing in it, or too much.
 *
 * The history is read from the lines that the writer says, so it survives whatever happens to the writer and to its
 * disk. Pure. One producer publishes events 1, 2, 3 … to one stream, so that the event at offset n must be number n;
 * beside them requests make marks, each of which may be there once. Invariant of the judgement: what was begun and
 * not acknowledged may be there or not; what was acknowledged must be.
 */

/** What the writer says, one line each. */
export type Said =
  | { readonly kind: "opened"; readonly epoch: string | null; readonly record: number }
  /** A batch goes to the store: events up to `through`, and a mark. */
  | { readonly kind: "begun"; readonly through: number; readonly token: string }
  /** It is acknowledged. */
  | { readonly kind: "done"; readonly through: number; readonly token: string; readonly epoch: string }
  | { readonly kind: "refused"; readonly through: number; readonly code: string };

export interface History {
  epoch: string | undefined;
  /** Number of the last event that was ever sent, and of the last that was acknowledged. */
  begun: number;
  acknowledged: number;
  readonly tokensBegun: Set<string>;
  readonly tokensAcknowledged: Set<string>;
  /** The mark of the batch that has no answer yet: the next writer asks for it again. */
  open: string | undefined;
  refused: number;
  /** Breaches that were seen while listening. */
  readonly breaches: string[];
}

export const newHistory = (): History => ({
  epoch: undefined,
  begun: 0,
  acknowledged: 0,
  tokensBegun: new Set(),
  tokensAcknowledged: new Set(),
  open: undefined,
  refused: 0,
  breaches: [],
});

export function hear(history: History, said: Said): void {
  switch (said.kind) {
    case "opened":
      if (said.record < history.acknowledged)
        history.breaches.push(
          `opened with event ${said.record} as the last, but ${history.acknowledged} was acknowledged`,
        );
      if (history.epoch !== undefined && said.epoch !== history.epoch)
        history.breaches.push(`opened with epoch ${said.epoch}, but it was ${history.epoch}`);
      return;
    case "begun":
      history.begun = Math.max(history.begun, said.through);
      history.tokensBegun.add(said.token);
      history.open = said.token;
      return;
    case "done":
      if (history.epoch !== undefined && said.epoch !== history.epoch)
        history.breaches.push(`acknowledged in epoch ${said.epoch}, but it was ${history.epoch}`);
      history.epoch = said.epoch;
      history.acknowledged = Math.max(history.acknowledged, said.through);
      history.tokensAcknowledged.add(said.token);
      history.open = undefined;
      return;
    case "refused":
      history.refused += 1;
  }
}

/** What is in the store. */
export interface Found {
  readonly epoch: string | null;
  /** The numbers of the events, in the order of their offsets. */
  readonly numbers: readonly number[];
  /** How far the producer's record says that it is decided. */
  readonly record: number;
  readonly tokens: readonly string[];
}

export interface Judgement {
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly phantom: number;
  /** In words; empty where nothing is wrong. */
  readonly breaches: readonly string[];
}

export function judge(history: History, found: Found): Judgement {
  const numbers = new Set(found.numbers);
  const tokens = new Set(found.tokens);
  const missing = countFrom(1, history.acknowledged).filter((number) => !numbers.has(number)).length;
  const missingTokens = [...history.tokensAcknowledged].filter((token) => !tokens.has(token)).length;
  const lost = missing + missingTokens;
  const repeated = found.numbers.length - numbers.size + found.tokens.length - tokens.size;
  const reordered = found.numbers.filter(
    (number, index) => index > 0 && number < (found.numbers[index - 1] ?? 0),
  ).length;
  const phantom =
    found.numbers.filter((number) => number > history.begun || number < 1).length +
    found.tokens.filter((token) => !history.tokensBegun.has(token)).length;
  const breaches = [
    ...history.breaches,
    ...said(lost, "acknowledged and not there"),
    ...said(repeated, "there twice"),
    ...said(reordered, "not in the order in which they were published"),
    ...said(phantom, "there, but never sent"),
    ...said(gaps(found.numbers), "holes in the numbers"),
  ];
  if (found.record !== found.numbers.length)
    breaches.push(`the producer's record is ${found.record}, but ${found.numbers.length} events are there`);
  if (history.epoch !== undefined && found.epoch !== history.epoch)
    breaches.push(`the epoch is ${found.epoch}, but it was ${history.epoch}`);
  return { lost, repeated, reordered, phantom, breaches };
}

const countFrom = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_value, index) => first + index);

function gaps(numbers: readonly number[]): number {
  return numbers.filter((number, index) => number !== index + 1).length;
}

function said(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
