/**
 * A stream that waits until it is known whether the command starts at all.
 *
 * A refused start is one sentence on standard error and nothing else, so what is logged on the way there is
 * held: dropped with the refusal, written in order with the start or with any other end. Invariant: nothing
 * is held after `release`, and never more than `heldTextsMax` texts: more are a start that needs watching.
 */
import type { TextStream } from "./surroundings.ts";

export const heldTextsMax = 200;

export interface HeldText extends TextStream {
  /** Writes what was held, and everything from now on at once. Idempotent. */
  release(): void;
}

/** Holds what is meant for `stream`. */
export function holdText(stream: TextStream): HeldText {
  let held: string[] | undefined = [];
  const release = (): void => {
    const texts = held ?? [];
    held = undefined;
    for (const text of texts) stream.write(text);
  };
  return {
    isTTY: stream.isTTY === true,
    release,
    write: (text) => {
      if (held === undefined) return stream.write(text);
      held.push(text);
      if (held.length >= heldTextsMax) release();
      return true;
    },
  };
}
