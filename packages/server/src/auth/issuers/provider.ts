/**
 * One question to a provider of identities (its key set, its discovery document, its token endpoint), bounded on every side.
 *
 * Whatever goes wrong on the other side becomes one error, {@link ProviderFailed}, in words that hold no token and
 * no secret: this server's log may have it, a client never does. Invariants: no redirect is followed, so that what
 * is asked is what was configured (T3); an answer is read up to a size and waited for up to a time. It keeps nothing
 * and never asks twice: `remoteDocument.ts` does.
 */
import type { Clock } from "@holdfast/protocol";

/** T3: below the gateway's 5 s for a verdict (OP-1). */
export const answerMsMax = 3_000;
export const answerBytesMax = 256 * 1_024;

export interface ProviderRequest {
  readonly url: string;
  /** Sent by POST as a form; absent, and without `json`: GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent by POST as JSON. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Further headers, such as the key that a project is known by. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization`, where the provider knows us by a secret. */
  readonly authorization?: string;
}

/** The transport: resolves with the answer of any status; rejects where there is none, or it is too large. */
export type AskProvider = (
  request: ProviderRequest,
  limits: { readonly signal: AbortSignal; readonly bytesMax: number },
) => Promise<{ readonly status: number; readonly body: string }>;

/** The provider did not do its part; nothing is said of who wanted to sign in. */
export class ProviderFailed extends Error {
  override readonly name = "ProviderFailed";
}

/** The answer as JSON, whatever its status. Throws {@link ProviderFailed} where there is none to read. */
export async function askJson(
  ask: AskProvider,
  clock: Clock,
  request: ProviderRequest,
): Promise<{ readonly status: number; readonly json: unknown }> {
  const { status, body } = await answerInTime(ask, clock, request);
  try {
    return { status, json: JSON.parse(body) as unknown };
  } catch {
    // Not the parser's words: they repeat what was sent.
    throw new ProviderFailed(`it answered HTTP ${status} with something that is not JSON`);
  }
}

/** The answer of status 200, as JSON. Throws {@link ProviderFailed}. */
export async function getJson(ask: AskProvider, clock: Clock, url: string): Promise<unknown> {
  const { status, json } = await askJson(ask, clock, { url });
  if (status !== 200) throw new ProviderFailed(`it answered HTTP ${status}`);
  return json;
}

function answerInTime(ask: AskProvider, clock: Clock, request: ProviderRequest): ReturnType<AskProvider> {
  const stop = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = clock.after(answerMsMax, () => {
      reject(new ProviderFailed(`it did not answer within ${answerMsMax} ms`));
      stop.abort();
    });
    ask(request, { signal: stop.signal, bytesMax: answerBytesMax })
      .then(resolve, (error: unknown) => reject(failureOf(error)))
      .finally(() => clock.cancel(timer));
  });
}

/** Of `fetch`'s errors the cause says what happened. */
function failureOf(error: unknown): ProviderFailed {
  if (error instanceof ProviderFailed) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  const what = typeof code === "string" ? code : cause instanceof Error ? cause.message : "no answer";
  return new ProviderFailed(`it could not be asked (${what})`, { cause: error });
}
