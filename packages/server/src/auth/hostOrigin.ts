/**
 * Who may talk to this server at all, judged before anything else, for every request and upgrade (AU-5).
 *
 * Loopback is not trusted (W2): any web page can reach it, and a rebound DNS name sends same-origin GETs
 * without `Origin`. So `Host` must name us, `Origin` must be ours or configured, and what changes state
 * must be JSON, which no form can send. Invariants: the own origin never comes from an unchecked `Host`;
 * `null` is an origin and never an allowed one; texts are compared whole, never by part. Pure. It
 * deliberately judges no credential, only whether the cookie may count as one.
 */
import { StartError } from "../options.ts";
import { type RawHeaders, valuesOf } from "./headers.ts";

/** How much of a hostile value is repeated in a reason. */
const quotedCharsMax = 100;

export interface HostOriginSettings {
  /** The port that was really taken. */
  readonly port: number;
  /** The origin under which people reach us, where that is not the loopback address. */
  readonly publicUrl?: string;
  /** Our own origin is an https one, by our TLS or a proxy's. */
  readonly https: boolean;
  /** Other origins that may open sockets and call methods, as {@link hostOriginSettings} leaves them. */
  readonly origins: readonly string[];
  /** The page's own addresses: what a link may open, and what is answered with `index.html`. */
  readonly pagePaths: readonly string[];
  /** Where providers send people back to: each is guarded by its `state`. */
  readonly callbackPaths: readonly string[];
}

export interface JudgedRequest {
  readonly method: string;
  /** The request target as it came. */
  readonly url: string;
  readonly headers: RawHeaders;
  /** Whether it came over TLS. */
  readonly encrypted: boolean;
}

export type Judgement =
  | {
      readonly ok: true;
      /** Our own origin as this client sees it, `http://127.0.0.1:4400`. */
      readonly ownOrigin: string;
      /** Whether the session cookie counts as a credential here. */
      readonly cookieCounts: boolean;
      /** Another origin that may call us, and so may read our answers: the `Origin` that it sent. */
      readonly foreignOrigin?: string;
      /** It asks, as a browser does before a call from there, whether it may (CORS): no body, and nothing is done. */
      readonly isPreflight?: true;
    }
  | { readonly ok: false; readonly status: 403 | 415; readonly reason: string };

/** Judges one request or upgrade. `status` is 415 only for a body that is not declared as JSON, else 403. */
export function judgeRequest(request: JudgedRequest, settings: HostOriginSettings): Judgement {
  if (!/^\/(?![/\\])/.test(request.url))
    return refused(`The request target ${quote(request.url)} is not a path of this server.`);

  const ownOrigin = ownOriginOf(request, settings);
  if (ownOrigin === undefined) {
    const hosts = valuesOf(request.headers, "host").map(quote).join(", ") || "none";
    const own = settings.publicUrl ?? `${settings.https ? "https" : "http"}://127.0.0.1:${settings.port}`;
    return refused(`Host (${hosts}) is not this server's; open it as ${own}.`);
  }

  const origins = valuesOf(request.headers, "origin");
  const allowed = origins.length === 1 && isAllowedOrigin(origins[0] ?? "", ownOrigin, settings);
  if (origins.length > 0 && !allowed) {
    return refused(
      `Origin (${origins.map(quote).join(", ")}) may not use this server; only ${ownOrigin} and configured origins may.`,
    );
  }
  if (!allowed && isCrossSite(request.headers) && !isNavigation(request, settings)) {
    return refused(
      "Sec-Fetch-Site says that another site sent this; only a link to a page of this server may be followed from there.",
    );
  }

  const isForeign = allowed && origins[0] !== ownOrigin;
  const foreign = isForeign ? { foreignOrigin: origins[0] ?? "" } : {};
  const isPreflight =
    isForeign && request.method === "OPTIONS" && valuesOf(request.headers, "access-control-request-method").length > 0;
  const reading = request.method === "GET" || request.method === "HEAD";
  if (!reading && !isPreflight && !isJson(request.headers)) {
    const types = valuesOf(request.headers, "content-type").map(quote).join(", ") || "none";
    return {
      ok: false,
      status: 415,
      reason: `Content-Type (${types}) of a ${quote(request.method)} must be application/json.`,
    };
  }
  return { ok: true, ownOrigin, cookieCounts: allowed || reading, ...foreign, ...(isPreflight && { isPreflight }) };
}

/** Settings with every origin in the form in which browsers send it. Throws a StartError that names a wrong one. */
export function hostOriginSettings(options: {
  port: number;
  publicUrl?: string | undefined;
  /** We end TLS ourselves. */
  encrypted?: boolean;
  origins: readonly string[];
  pagePaths?: readonly string[];
  callbackPaths?: readonly string[];
}): HostOriginSettings {
  const { port, publicUrl, encrypted = false, origins, pagePaths = ["/"], callbackPaths = [] } = options;
  const own = publicUrl === undefined ? undefined : originOf(publicUrl, "publicUrl");
  return {
    port,
    ...(own === undefined ? {} : { publicUrl: own }),
    https: own?.startsWith("https:") ?? encrypted,
    origins: origins.map((origin) => originOf(origin, "origins")),
    pagePaths,
    callbackPaths,
  };
}

/** Whether a path is one of the page's own: `/cards` stands for itself, `/cards/*` for all that begins with `/cards/`. */
export function isPagePath(path: string, pagePaths: readonly string[]): boolean {
  return pagePaths.some((own) => (own.endsWith("/*") ? path.startsWith(own.slice(0, -1)) : path === own));
}

/** The origin of a setting. Throws a StartError that names a wrong one. */
export function originOf(text: string, field: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    url.search + url.hash + url.username === "";
  if (!isOrigin)
    throw new StartError(`${field}: ${quote(text)} is not an origin; write it like http://localhost:5173.`);
  return url.origin;
}

/** The origin that the one `Host` stands for, where that is a name of ours. */
function ownOriginOf(request: JudgedRequest, settings: HostOriginSettings): string | undefined {
  const [host, ...others] = valuesOf(request.headers, "host");
  if (host === undefined || others.length > 0) return undefined;
  if (settings.publicUrl !== undefined && isHostOf(host, new URL(settings.publicUrl))) return settings.publicUrl;
  const scheme = request.encrypted ? "https" : "http";
  if (!isLoopbackHost(host, settings.port, scheme === "https" ? 443 : 80)) return undefined;
  return settings.publicUrl ?? new URL(`${scheme}://${host}`).origin;
}

/** A loopback literal or `localhost`, with our port. Octal, short and mapped forms of an address are not literals. */
function isLoopbackHost(host: string, port: number, defaultPort: number): boolean {
  const match = /^(?:localhost|\[::1\]|127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}))(?::([1-9]\d{0,4}))?$/i.exec(host);
  if (match === null) return false;
  const octets = match.slice(1, 4).filter((octet) => octet !== undefined);
  if (octets.some((octet) => Number(octet) > 255 || String(Number(octet)) !== octet)) return false;
  return (match[4] === undefined ? defaultPort : Number(match[4])) === port;
}

function isHostOf(host: string, url: URL): boolean {
  const withPort = `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  return host.toLowerCase() === url.host || host.toLowerCase() === withPort;
}

function isAllowedOrigin(origin: string, ownOrigin: string, settings: HostOriginSettings): boolean {
  return origin !== "null" && (origin === ownOrigin || settings.origins.includes(origin));
}

/** A value that we do not know counts as the worst one. */
function isCrossSite(headers: RawHeaders): boolean {
  return valuesOf(headers, "sec-fetch-site").some((site) => !["same-origin", "same-site", "none"].includes(site));
}

/** A person followed a link from elsewhere to a page, or comes back from a provider: the top window, and nothing else. */
function isNavigation({ method, url, headers }: JudgedRequest, settings: HostOriginSettings): boolean {
  const only = (name: string, value: string): boolean => {
    const values = valuesOf(headers, name);
    return values.length === 1 && values[0] === value;
  };
  const path = url.replace(/[?#].*$/s, "");
  return (
    method === "GET" &&
    only("sec-fetch-mode", "navigate") &&
    only("sec-fetch-dest", "document") &&
    (isPagePath(path, settings.pagePaths) || settings.callbackPaths.includes(path))
  );
}

/** Exactly JSON, in UTF-8: what a parser might still take for JSON is not (security F12). */
function isJson(headers: RawHeaders): boolean {
  const types = valuesOf(headers, "content-type");
  return types.length === 1 && /^application\/json(?:; ?charset="?utf-8"?)?$/i.test(types[0] ?? "");
}

function refused(reason: string): Judgement {
  return { ok: false, status: 403, reason };
}

function quote(value: string): string {
  return JSON.stringify(value.length > quotedCharsMax ? `${value.slice(0, quotedCharsMax)}…` : value);
}
