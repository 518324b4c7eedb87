/**
 * The cookies: a person's session, a browser's random id in development mode, and a sign-in that is under way at a
 * provider (AU-5, AU-6).
 *
 * Cookies ignore ports, so on loopback their names carry ours, as browsers know it: two servers of one machine do not
 * sign each other out. On https the name begins with `__Host-`: a browser takes it over TLS only, and from no other host of the
 * domain. All are `HttpOnly; SameSite=Lax; Path=/`. Whether the session cookie counts is `hostOrigin.ts`'s to say.
 */
import { isUuid } from "@holdfast/protocol";
import { type RawHeaders, valuesOf } from "./headers.ts";

/** Of http; on https no name has a port. */
const defaultPort = 80;

/** What the cookies of a server depend on. */
export interface CookiePlace {
  readonly port: number;
  /** Our own origin is an https one. */
  readonly https: boolean;
  /** Where we are known by another address than our own: several nodes behind it are one server to a browser. */
  readonly publicUrl?: string;
}

export function cookieAttributes({ https }: CookiePlace) {
  return { httpOnly: true, sameSite: "lax", path: "/", secure: https } as const;
}

/** The session cookie. */
export function cookieName(place: CookiePlace): string {
  return place.https ? "__Host-holdfast_session" : `holdfast_session_${portOf(place)}`;
}

/** The development browser's cookie. */
export function browserCookieName(place: CookiePlace): string {
  return place.https ? "__Host-holdfast_browser" : `holdfast_browser_${portOf(place)}`;
}

/** A sign-in's ticket, while the browser is at a provider. */
export function ticketCookieName(place: CookiePlace): string {
  return place.https ? "__Host-holdfast_sign_in" : `holdfast_sign_in_${portOf(place)}`;
}

/** What renews a sign-in at a Supabase project. */
export function grantCookieName(place: CookiePlace): string {
  return place.https ? "__Host-holdfast_grant" : `holdfast_grant_${portOf(place)}`;
}

/** The port that a browser knows us by. */
function portOf({ port, publicUrl }: CookiePlace): number {
  return publicUrl === undefined ? port : Number(new URL(publicUrl).port || defaultPort);
}

export function readTicketCookie(headers: RawHeaders, place: CookiePlace): string | undefined {
  return readCookie(headers, ticketCookieName(place));
}

export function readGrantCookie(headers: RawHeaders, place: CookiePlace): string | undefined {
  return readCookie(headers, grantCookieName(place));
}

function readCookie(headers: RawHeaders, name: string): string | undefined {
  const pairs = valuesOf(headers, "cookie").flatMap((value) => value.split(";"));
  return cookieValue(pairs, name);
}

/** Session and browser, where present; a browser id that we cannot have set is absent. */
export function readCookies(headers: RawHeaders, place: CookiePlace): { session?: string; browser?: string } {
  const pairs = valuesOf(headers, "cookie").flatMap((value) => value.split(";"));
  const session = cookieValue(pairs, cookieName(place));
  const browser = cookieValue(pairs, browserCookieName(place));
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
