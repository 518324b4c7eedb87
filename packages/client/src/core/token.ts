/**
 * What can be read from a token without verifying it: when it ends.
 *
 * The client never judges a token; it only spares a socket where the end is known to be too near (CL-7),
 * and sees that a refreshed token is no better than the old one (F10). API keys tell nothing: undefined.
 */

/** The `exp` of a JWT in ms since 1970; undefined where there is none to read. */
export function tokenEndsMs(token: string): number | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === "number" ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

/** CL-7: the same token, or one that ends no later, is no refresh. */
export function isBetterToken(fresh: string, old: string | undefined): boolean {
  if (old === undefined) return true;
  if (fresh === old) return false;
  const freshEnds = tokenEndsMs(fresh);
  const oldEnds = tokenEndsMs(old);
  return freshEnds === undefined || oldEnds === undefined || freshEnds > oldEnds;
}
