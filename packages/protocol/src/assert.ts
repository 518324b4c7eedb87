/**
 * Programmer errors, which stay checked in production.
 *
 * An operating error (a wrong token, a lost socket) is a value or a {@link ProtocolError}; a broken
 * assumption of our own is an {@link AssertionError}, which no handler turns into an answer.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws an {@link AssertionError} with `sentence` unless `condition` holds. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence);
}

/** Ends a `switch` over a closed union: the compiler proves that nothing arrives, and so does this. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value: ${JSON.stringify(value)}`);
}
