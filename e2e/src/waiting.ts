/**
 * Waiting for something, with an end: looks again and again until it holds, or says what was last seen.
 *
 * The tests of this folder watch real processes, which tell nobody when they change; so they look often and
 * give up loudly. Nothing here waits for a fixed time in the hope that it suffices.
 */

const lookEveryMs = 20;

export interface WaitOptions {
  readonly msMax: number;
  /** What is waited for, for the failure's sentence. */
  readonly what: string;
}

/** The first value of `look` that is not undefined. */
export async function waitFor<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
  { msMax, what }: WaitOptions,
): Promise<Value> {
  const end = performance.now() + msMax;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${msMax} ms`);
    await pause(lookEveryMs);
  }
}

/** Resolves after `ms`: for a fault's duration, which is part of the story, never for a race. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
