/**
 * The headers that every answer carries, refusals and faults too (O3).
 *
 * The page runs only what we serve and talks only to us; inline styles are allowed since the terminal sets
 * them. `Cache-Control: no-store` is the default that the page's hashed files override.
 */

import { isLoopback } from "../loopback.ts";

/** A browser that was here once comes by TLS only, for a year (W10). */
const strictTransport = "max-age=31536000";

/** `ownOrigin` only after it was checked (AU-5); without it nothing but `'self'` is named. */
export function securityHeaders(ownOrigin?: string): Record<string, string> {
  // Not every browser takes 'self' for the same origin's sockets.
  const sockets = ownOrigin === undefined ? "" : ` ${ownOrigin.replace(/^http/, "ws")}`;
  const policy = [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    `connect-src 'self'${sockets}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "object-src 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    ...(ownOrigin !== undefined && isPublicHttps(ownOrigin) ? { "strict-transport-security": strictTransport } : {}),
  };
}

/** Not of this machine's own names: browsers would apply it to every port of `localhost`. */
function isPublicHttps(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
