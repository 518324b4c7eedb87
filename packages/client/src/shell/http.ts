/**
 * What the server says over HTTP of who is signed in (AU-7, CL-7, CL-10).
 *
 * A cookie is nothing that a program could read, and a socket that did not open tells nothing: this asks.
 * Rejects where the server did not answer; it decides nothing, the core does.
 */
import type { SessionHttp } from "../api.ts";
import type { TokenOutcome } from "../core/connectionState.ts";

/** `refresh`: and lets the session last its full life from now on. */
export async function askServer(http: SessionHttp, refresh: boolean): Promise<TokenOutcome> {
  const { status, body } = await (refresh ? http("POST", "/api/session/refresh") : http("GET", "/api/session"));
  if (status >= 500 || status === 429) return { kind: "unreachable" };
  if (status === 401) return { kind: "signedOut" };
  if (status >= 400) return { kind: "refused" };
  const { user, mode } = (body ?? {}) as { readonly user?: unknown; readonly mode?: unknown };
  // In development mode nobody needs to be signed in (AU-6).
  return { kind: user === null && mode !== "development" ? "signedOut" : "signedIn" };
}
