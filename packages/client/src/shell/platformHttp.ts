/**
 * The global `fetch` as the session's HTTP, in browsers and in Node ≥ 22 alike.
 *
 * A file of its own, loaded when something is first asked: few pages ever do. It neither repeats nor judges.
 */
import type { AskServer } from "../api.ts";
import { askOver, type SessionHttp } from "../http.ts";

/** No answer within this is none. */
const httpTimeoutMs = 10_000;

/** At the origin of the socket's `url`, with the browser's cookies. */
export function askOrigin(url: string): AskServer {
  return askOver((method, path) => fetchJson(url, method, path));
}

async function fetchJson(url: string, method: "GET" | "POST", path: string): ReturnType<SessionHttp> {
  const response = await fetch(new URL(path, url.replace(/^ws/, "http")), {
    method,
    cache: "no-store",
    credentials: "include",
    signal: AbortSignal.timeout(httpTimeoutMs),
    ...(method === "POST" && { headers: { "content-type": "application/json" }, body: "{}" }),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}
