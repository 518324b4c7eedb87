/**
 * One answer of a model: attempts, deadlines, one end.
 *
 *   attempt ──text──► writing ──end──► completed
 *      │                 ├──deadline, error, cut──► failed (what was written is kept)
 *      └──error that may pass, nothing written yet──► wait ──► attempt
 *
 * Invariants: visible text is never asked for twice, since nothing is repeated once some of it was written; every wait has
 * a limit ({@link AnswerLimits}), so there is always an end; a model that ignores its abort signal holds nobody.
 * Time and chance are passed in. It deliberately knows no threads: where the text goes is `write`'s.
 */
import type { Usage } from "@holdfast/control/contract";
import type { Clock, Random } from "@holdfast/protocol";
import { type ChatModel, type ChatTurn, ModelError, type ModelPart } from "./chatModel.ts";

export interface AnswerLimits {
  /** From an attempt's beginning to its first piece of text or thought, ms. */
  readonly firstTokenMsMax: number;
  /** Between two pieces, ms. */
  readonly betweenTokensMsMax: number;
  /** The whole answer, attempts and waits included, ms. */
  readonly answerMsMax: number;
}
/** CONTROL.md "Chat". */
export const answerLimits: AnswerLimits = {
  firstTokenMsMax: 60_000,
  betweenTokensMsMax: 60_000,
  answerMsMax: 15 * 60_000,
};
export const attemptsMax = 4;
/** The first wait where the model's server names none; it doubles, and is shortened by chance to half of it. */
export const retryWaitMs = 1_000;
/** A server that asks for a longer wait than this is told to the person instead. */
export const retryAfterMsMax = 60_000;
/** Of one answer, in characters; a model that does not stop by itself is stopped. */
export const answerCharsMax = 1_000_000;

export interface AnswerParts {
  readonly model: ChatModel;
  readonly clock: Clock;
  readonly random: Pick<Random, "fraction">;
  readonly limits: AnswerLimits;
  /** Takes a piece of visible text; resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /** Says why the person waits. */
  readonly tell: (progress: string) => void;
}

export type AnswerEnd =
  | { readonly kind: "completed"; readonly usage: Usage | undefined; readonly remark?: string }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string; readonly usage?: Usage };

/** Resolves with the one end; never rejects but with what `write` throws. `stop` is the person's, or the shutdown's. */
export async function answer(turns: readonly ChatTurn[], parts: AnswerParts, stop: AbortSignal): Promise<AnswerEnd> {
  const { clock, random, limits, tell } = parts;
  const endsAt = clock.monotonic() + limits.answerMsMax;
  for (let attempt = 1; ; attempt += 1) {
    const tried = await attemptOnce(turns, parts, stop, endsAt);
    if (tried.kind !== "error") return tried;
    const { error } = tried;
    const waitMs = error.retryAfterMs ?? retryWaitMs * 2 ** (attempt - 1) * (1 - random.fraction() / 2);
    if (tried.hasWritten || !error.isRetryable || attempt >= attemptsMax) return failed(error.message);
    if (waitMs > retryAfterMsMax) return failed(`${error.message}; it asks to wait ${seconds(waitMs)}`);
    if (clock.monotonic() + waitMs >= endsAt) return failed(tooLong(limits));
    tell(`${error.message}; trying again in ${seconds(waitMs)}`);
    if ((await within(clock, waitMs, aborted(stop))) !== "late") return { kind: "stopped" };
  }
}

type Tried = AnswerEnd | { readonly kind: "error"; readonly error: ModelError; readonly hasWritten: boolean };

async function attemptOnce(
  turns: readonly ChatTurn[],
  { model, clock, limits, write }: AnswerParts,
  stop: AbortSignal,
  endsAt: number,
): Promise<Tried> {
  const abort = new AbortController();
  const pieces = model.answer(turns, abort.signal)[Symbol.asyncIterator]();
  const stopped = aborted(stop).then(() => "stopped" as const);
  let chars = 0;
  let hasBegun = false;
  try {
    while (true) {
      const patienceMs = hasBegun ? limits.betweenTokensMsMax : limits.firstTokenMsMax;
      const leftMs = endsAt - clock.monotonic();
      const next = await within(
        clock,
        Math.max(0, Math.min(patienceMs, leftMs)),
        Promise.race([pieces.next(), stopped]),
      );
      if (next === "stopped" || stop.aborted) return { kind: "stopped" };
      if (next === "late") return failed(leftMs <= patienceMs ? tooLong(limits) : silent(hasBegun, patienceMs));
      if (next.done === true) return cut(chars > 0);
      const part: ModelPart = next.value;
      hasBegun = true;
      if (part.kind === "end") return ended(part, chars > 0);
      if (part.kind === "thought" || part.text === "") continue;
      chars += part.text.length;
      if ((await Promise.race([write(part.text), stopped])) === "stopped") return { kind: "stopped" };
      if (chars > answerCharsMax) return failed(`the answer has more than ${answerCharsMax} characters`);
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { kind: "error", error, hasWritten: chars > 0 };
  } finally {
    abort.abort();
    // One that hangs is left to itself.
    void pieces.return?.(undefined).catch(() => {});
  }
}

function ended(part: ModelPart & { kind: "end" }, hasWritten: boolean): Tried {
  const { usage, remark } = part;
  if (hasWritten) return { kind: "completed", usage, ...(remark === undefined ? {} : { remark }) };
  const silent = failed(`the model ended without a word${remark === undefined ? "" : `: ${remark}`}`);
  return { ...silent, ...(usage === undefined ? {} : { usage }) };
}

function cut(hasWritten: boolean): Tried {
  return { kind: "error", error: new ModelError("the model's answer was cut off", true), hasWritten };
}

function failed(reason: string): AnswerEnd & { kind: "failed" } {
  return { kind: "failed", reason };
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)} s`;
const tooLong = ({ answerMsMax }: AnswerLimits): string => `the answer took longer than ${seconds(answerMsMax)}`;
const silent = (hasBegun: boolean, ms: number): string =>
  hasBegun
    ? `the model was silent for ${seconds(ms)} amid its answer`
    : `the model did not begin within ${seconds(ms)}`;

/** Resolves when the signal is given. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** What comes first: `done`, or `ms`. */
async function within<Value>(clock: Clock, ms: number, done: Promise<Value>): Promise<Value | "late"> {
  let timer: unknown;
  const late = new Promise<"late">((resolve) => {
    timer = clock.after(ms, () => resolve("late"));
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    clock.cancel(timer);
  }
}
