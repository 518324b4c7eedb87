/**
 * What a browser is told about calls from another origin (CORS): the configured origins, which may open sockets, may call
 * methods over HTTP in the same way, and read what is answered (AU-5). All others were refused before.
 *
 * Pure. Invariant: an origin is named back, never `*`, and only after it was judged.
 */
type Admitted = { readonly foreignOrigin?: string; readonly isPreflight?: true };

/** How long a browser may keep the answer to a preflight, s. */
const preflightLifeSeconds = 600;

export function crossOriginHeaders({ foreignOrigin, isPreflight }: Admitted): Record<string, string> {
  // Which origin may read an answer depends on who asked.
  if (foreignOrigin === undefined) return { vary: "origin" };
  return {
    vary: "origin",
    "access-control-allow-origin": foreignOrigin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "idempotency-key, retry-after",
    // Our answers are same-origin by default; these are asked for by name.
    "cross-origin-resource-policy": "cross-origin",
    ...(isPreflight === true
      ? {
          "access-control-allow-methods": "GET, POST",
          "access-control-allow-headers": "authorization, content-type, idempotency-key",
          "access-control-max-age": String(preflightLifeSeconds),
        }
      : {}),
  };
}
