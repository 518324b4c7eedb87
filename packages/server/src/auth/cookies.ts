/**
 * The two cookies: a person's session, and the random id of a browser in development mode (AU-5, AU-6).
 *
 * Cookies ignore ports, so their names carry ours: two servers of one machine do not sign each other out.
 * Both are `HttpOnly; SameSite=Lax; Path=/`. Whether the session cookie counts is `hostOrigin.ts`'s to say.
 */
import { isUuid } from "@holdfast/protocol";
import { type RawHeaders, valuesOf } from "./headers.ts";

export const cookieAttributes = { httpOnly: true, sameSite: "lax", path: "/" } as const;

/** The session cookie of a server on a loopback port. */
export function cookieName(port: number): string {
  return `holdfast_session_${port}`;
}

/** The development browser's cookie. */
export function browserCookieName(port: number): string {
  return `holdfast_browser_${port}`;
}

/** Both cookies, where present; a browser id that we cannot have set is absent. */
export function readCookies(headers: RawHeaders, port: number): { session?: string; browser?: string } {
  const pairs = valuesOf(headers, "cookie").flatMap((value) => value.split(";"));
  const session = cookieValue(pairs, cookieName(port));
  const browser = cookieValue(pairs, browserCookieName(port));
  return {
    ...(session === undefined || session === "" ? {} : { session }),
    ...(isUuid(browser) ? { browser } : {}),
  };
}

/** All cookies of a `Cookie` header by name, the first of each, undone where they are percent-encoded. */
export function cookiesOf(header: string): Readonly<Record<string, string>> {
  const cookies: Record<string, string> = Object.create(null);
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).trim();
    if (name !== "") cookies[name] ??= decoded(pair.slice(at + 1).trim());
  }
  return cookies;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The first cookie of that name. Ours are made of letters that need no quoting, so none is undone. */
function cookieValue(pairs: readonly string[], name: string): string | undefined {
  const start = `${name}=`;
  return pairs
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(start))
    ?.slice(start.length);
}
