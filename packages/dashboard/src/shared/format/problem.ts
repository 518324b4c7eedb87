/**
 * An error in words for a person: what happened, then what to do.
 *
 * A {@link ProtocolError} carries both (its message, and the registry's advice); anything else keeps its
 * own message. Nothing is hidden: an unknown thing is shown as text.
 */
import { errorRules, isErrorCode, ProtocolError } from "@holdfast/protocol";

/** One or two sentences. */
export function problemText(error: unknown): string {
  // A newer server may know codes that this page does not.
  if (error instanceof ProtocolError && isErrorCode(error.code))
    return `${sentence(error.message)} ${errorRules[error.code].advice}`;
  if (error instanceof Error) return sentence(error.message);
  return sentence(String(error));
}

/** Upper case first, a full stop last. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
