/**
 * The credential that a request states itself (AU-1), and the subprotocol that an upgrade asks for (TR-2).
 *
 * Read once, from the raw headers, the same way for HTTP and upgrades (W3). Invariants: whatever looks like
 * a stated credential is one, so a malformed one is judged and refused, never overlooked; nothing of a
 * credential is repeated in a reason. It deliberately does not verify.
 */
import { limits } from "@holdfast/protocol";
import { type RawHeaders, valuesOf } from "./headers.ts";

/** What a stated credential is read as that cannot be one: it is then refused like any wrong one. */
const unreadableToken = "";

/** RFC 9110 `token`: what a subprotocol's name may be made of. */
const subprotocolPattern = /^[\w!#$%&'*+.^`|~-]+$/;

/** In small letters, without dashes and underscores. */
const queryNames: ReadonlySet<string> = new Set([
  "accesstoken",
  "apikey",
  "authorization",
  "authtoken",
  "bearer",
  "idtoken",
  "jwt",
  "key",
  "refreshtoken",
  "token",
]);
/** What is a credential by its own shape: our API keys, JSON Web Tokens. */
const credentialShape = /^(?:bearer\s+)?(?:hfk_|eyJ[\w-]*\.[\w-]+\.)/i;

/** What is selected and echoed (TR-2); absent where nothing was offered. */
interface Selected {
  readonly subprotocol?: typeof limits.subprotocol;
}

export type StatedCredentials =
  | ({ readonly kind: "read"; readonly token?: string } & Selected)
  /** AU-1: accept the upgrade, then `bye` and close 4400 `ambiguous_credentials`. */
  | ({ readonly kind: "ambiguous" } & Selected)
  /** The upgrade itself fails. */
  | { readonly kind: "refused"; readonly status: 400; readonly reason: string };

/** Reads what an upgrade states. `headers` are raw; `url` is the request target. */
export function readUpgradeCredentials(headers: RawHeaders, url: string): StatedCredentials {
  if (hasTokenInQuery(url) || hasTokenValue(url)) return refused(tokenInQueryReason);
  const offered = valuesOf(headers, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((name) => name.trim());
  if (offered.some((name) => !subprotocolPattern.test(name)) || new Set(offered).size < offered.length) {
    return refused("Sec-WebSocket-Protocol must list distinct names.");
  }
  if (offered.length > 0 && !offered.includes(limits.subprotocol)) {
    return refused(`Sec-WebSocket-Protocol must offer ${limits.subprotocol}, or be absent.`);
  }
  const subprotocol: Selected = offered.length > 0 ? { subprotocol: limits.subprotocol } : {};
  const beside = offered
    .filter((name) => name.startsWith(limits.bearerSubprotocolPrefix))
    .map((name) => name.slice(limits.bearerSubprotocolPrefix.length));
  const tokens = new Set([...authorizationTokens(headers), ...beside]);
  if (tokens.size > 1) return { kind: "ambiguous", ...subprotocol };
  const [token] = tokens;
  return { kind: "read", ...(token === undefined ? {} : { token }), ...subprotocol };
}

/** The distinct tokens of `Authorization`; another scheme than Bearer is an unreadable token. */
export function authorizationTokens(headers: RawHeaders): string[] {
  const tokens = valuesOf(headers, "authorization").map(
    (value) => /^Bearer +([^\s,]+)$/i.exec(value)?.[1] ?? unreadableToken,
  );
  return [...new Set(tokens)];
}

export const tokenInQueryReason =
  "A credential must not stand in the address, where logs and histories keep it; send it as `Authorization: Bearer`.";

/** AU-1, W5: whether the query names a credential, however it is spelt. */
export function hasTokenInQuery(url: string): boolean {
  return [...queryOf(url).keys()].some((name) => queryNames.has(name.toLowerCase().replace(/[\s_-]/g, "")));
}

/** The same by the value, whatever it is called. Of sockets only: a provider's answer may bring a code of such a shape. */
function hasTokenValue(url: string): boolean {
  return [...queryOf(url).values()].some((value) => credentialShape.test(value.trim()));
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : url.slice(start + 1));
}

function refused(reason: string): StatedCredentials {
  return { kind: "refused", status: 400, reason };
}
