/**
 * What the server says over HTTP of who is signed in (AU-7, CL-7, CL-10).
 *
 * A cookie is nothing that a program could read, and a socket that did not open tells nothing: this asks. An entry
 * of its own, since few pages ever ask: a session loads it with the platform's `fetch`, or is given one made of
 * another HTTP. Rejects where the server did not answer; it decides nothing, the core does.
 */
import type { AskServer } from "./api.ts";

/**
 * One request to the server of the socket, with the browser's cookies. Rejects where no answer came; `body` is the
 * parsed JSON, or undefined where it is none.
 */
export type SessionHttp = (
  method: "GET" | "POST",
  path: string,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** The questions of a session, asked over `http`. */
export function askOver(http: SessionHttp): AskServer {
  return async (refresh) => {
    const { status, body } = await (refresh ? http("POST", "/api/session/refresh") : http("GET", "/api/session"));
    if (status >= 500 || status === 429) return { kind: "unreachable" };
    if (status === 401) return { kind: "signedOut" };
    if (status >= 400) return { kind: "refused" };
    const { user, mode } = (body ?? {}) as { readonly user?: unknown; readonly mode?: unknown };
    // In development mode nobody needs to be signed in (AU-6).
    return { kind: user === null && mode !== "development" ? "signedOut" : "signedIn" };
  };
}
