/**
 * From whatever a model's server or the way to it did wrong to a {@link ModelError}: a sentence, whether to try again, when.
 *
 * Pure. Invariant: the sentence holds no key, no control characters and no more than {@link wordsCharsMax} of somebody
 * else's words.
 */
import { APICallError } from "ai";
import { ModelError } from "./chatModel.ts";

export const wordsCharsMax = 200;
/** Statuses after which the same request may succeed. */
const passing: ReadonlySet<number> = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);
/** Codes of Node's for a way that may be there again. */
const passingCodes =
  /^(?:ECONN(?:REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_\w+)$/;

/** Of these, the ones of a connection that was there. */
const lostCodes = /^(?:ECONN(?:RESET|ABORTED)|EPIPE|UND_ERR_(?:SOCKET|BODY_TIMEOUT|ABORTED))$/;

/** `key` is taken out of what the server says; `now` in ms since 1970. */
export function modelErrorOf(error: unknown, key: string | undefined, now: number): ModelError {
  if (error instanceof ModelError) return error;
  if (APICallError.isInstance(error) && error.statusCode !== undefined && error.statusCode !== 200)
    return refusal(error, error.statusCode, key, now);
  const code = codeOf(error);
  if (code !== undefined) {
    const isPassing = passingCodes.test(code);
    const what = lostCodes.test(code)
      ? "the connection to the model's server was lost"
      : "the model's server cannot be reached";
    return new ModelError(`${what} (${code})`, isPassing, undefined, quiet(error));
  }
  return new ModelError("the model's server sent what is no answer", true, undefined, quiet(error));
}

function refusal(error: APICallError, status: number, key: string | undefined, now: number): ModelError {
  const retryAfterMs = retryAfterOf(error.responseHeaders ?? {}, now);
  const words = wordsOf(error.message, key);
  const meaning = meanings[status] ?? "the model's server refused";
  const sentence = `${meaning} (${status}${words === "" ? "" : `: ${words}`})`;
  return new ModelError(sentence, passing.has(status) || status >= 500, retryAfterMs);
}

const meanings: Readonly<Record<number, string>> = {
  401: "the model's server does not accept the key",
  403: "the model's server does not accept the key",
  404: "the model's server knows no such model or address",
  413: "the conversation is too long for the model's server",
  429: "the model's server is busy",
  503: "the model's server is busy",
  529: "the model's server is busy",
};

/** `Retry-After` in seconds or as a moment, `Retry-After-Ms` of some providers. */
function retryAfterOf(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d{1,9}(?:\.\d+)?$/.test(ms)) return Number(ms);
  const after = headers["retry-after"];
  if (after === undefined) return undefined;
  if (/^\d{1,7}(?:\.\d+)?$/.test(after)) return Number(after) * 1_000;
  const moment = Date.parse(after);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now);
}

function wordsOf(text: string, key: string | undefined): string {
  const safe = key === undefined || key === "" ? text : text.replaceAll(key, "…");
  const line = safe
    .toWellFormed()
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim();
  return line.length > wordsCharsMax ? `${line.slice(0, wordsCharsMax).toWellFormed()}…` : line;
}

/** The first code in the chain of causes. */
function codeOf(error: unknown): string | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < 8; one = one.cause, depth += 1) {
    const { code } = one as { readonly code?: unknown };
    if (typeof code === "string" && code !== "") return code;
  }
  return undefined;
}

/** What the AI SDK throws holds the whole request, the conversation with it: only its name and message go on. */
function quiet(error: unknown): Error {
  return error instanceof Error
    ? new Error(`${error.name}: ${error.message.slice(0, wordsCharsMax)}`)
    : new Error("no Error was thrown");
}
