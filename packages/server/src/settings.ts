/**
 * From what an app wrote to what the rooms work with: defaults filled in, contradictions refused, once, at start.
 *
 * Invariant: whatever passes here starts or fails for a reason outside of the options (a port, a folder). It
 * reads the environment for `NODE_ENV` only (AU-6), and deliberately no other variable: an app names its settings, and
 * `telemetry` is its leave to read OpenTelemetry's.
 */
import { fileURLToPath } from "node:url";
import type { Clock, Random } from "@holdfast/protocol";
import { type AdmissionLimits, admissionLimitsOf, contradictionOf } from "./admission/limits.ts";
import type { Authenticate } from "./auth/appSignIn.ts";
import { type Issuer, issuersOf } from "./auth/issuers/issuer.ts";
import {
  sessionLifeMs as sessionLifeMsByDefault,
  signingKeyLifeMs as signingKeyLifeMsByDefault,
} from "./auth/lives.ts";
import { type OidcSettings, oidcSettingsOf } from "./auth/oidc/settings.ts";
import { type SupabaseOptions, supabaseOptionsOf } from "./auth/supabase/options.ts";
import { type ConnectionLimits, defaultConnectionLimits } from "./connectionLimits.ts";
import type { FlagSource } from "./flags/openFlags.ts";
import type { Log } from "./observe/log.ts";
import { createLog } from "./observe/pinoLog.ts";
import { type Mode, type ServerOptions, StartError } from "./options.ts";
import { platformClock, platformRandom } from "./ports/platform.ts";
import { type Reach, reachOf } from "./reach.ts";
import { defaultLifetimes, keptAlwaysMs, type Lifetimes } from "./store/lifetimes.ts";

const portMax = 65_535;
/** A page refreshes at half of it, and a connection's clock may differ by AU-4's tolerance. */
export const sessionLifeMsMin = 10_000;
/** A key is known for a minute before it signs. */
export const signingKeyLifeMsMin = 3_600_000;
const workBytesMin = 1_000_000;

export interface Settings {
  readonly app: URL;
  readonly data: string;
  readonly store: { readonly url: string; readonly busUrl?: string } | undefined;
  readonly mode: Mode;
  readonly authenticate: Authenticate | undefined;
  /** By their `iss`. */
  readonly issuers: ReadonlyMap<string, Issuer>;
  /** By their id. */
  readonly providers: ReadonlyMap<string, OidcSettings>;
  readonly supabase: SupabaseOptions | undefined;
  readonly signInLinks: boolean;
  readonly sessionLifeMs: number;
  readonly signingKeyLifeMs: number;
  readonly reach: Reach;
  readonly port: number;
  readonly origins: readonly string[];
  /** Folder of the built page. */
  readonly page: string | undefined;
  readonly pagePaths: readonly string[];
  readonly version: string;
  readonly limits: ConnectionLimits;
  readonly admission: AdmissionLimits;
  readonly lifetimes: Lifetimes;
  readonly alertWebhook: string | undefined;
  readonly dashboardMetrics: boolean;
  readonly flags: FlagSource | undefined;
  readonly telemetry: boolean;
  readonly restart: (() => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** Throws a `StartError` that names the offending value. */
export function settingsOf(options: ServerOptions): Settings {
  const { app, mode = "local", authenticate, host = "127.0.0.1", port = 0, pagePaths = ["/"] } = options;
  if (!(app instanceof URL))
    throw new StartError(`app is ${typeof app}: give new URL("./app.ts", import.meta.url), a module's address.`);
  if (mode === "development" && process.env["NODE_ENV"] === "production")
    throw new StartError("mode is development while NODE_ENV is production; leave out one of them.");
  if (mode === "development" && authenticate !== undefined)
    throw new StartError("mode is development, which asks nobody who they are, and authenticate asks; leave out one.");
  const { issuers = [], providers = [] } = options;
  if ((issuers.length + providers.length > 0 || options.supabase !== undefined) && authenticate !== undefined)
    throw new StartError("authenticate says who somebody is, and issuers or providers do; leave out one.");
  const { publicUrl, trustProxies = [] } = options;
  const reach = reachOf({ host, publicUrl, tls: tlsOf(options.tls), trustProxies });
  if (mode === "development" && !reach.loopback)
    throw new StartError(
      `mode is development while host is "${host}", which other machines reach and where nobody is asked who they are; keep 127.0.0.1.`,
    );
  const { signInLinks = mode !== "production" } = options;
  const ways = issuers.length + providers.length + Number(signInLinks || authenticate !== undefined);
  if (mode === "production") requireProduction(reach, ways);
  if (!Number.isInteger(port) || port < 0 || port > portMax)
    throw new StartError(`port is ${port}: give a whole number from 0 (any free one) to ${portMax}.`);
  const { sessionLifeMs = sessionLifeMsByDefault } = options;
  if (!Number.isSafeInteger(sessionLifeMs) || sessionLifeMs < sessionLifeMsMin)
    throw new StartError(`sessionLifeMs is ${sessionLifeMs}: give a whole number from ${sessionLifeMsMin}.`);
  const { signingKeyLifeMs = signingKeyLifeMsByDefault } = options;
  if (!Number.isSafeInteger(signingKeyLifeMs) || signingKeyLifeMs < signingKeyLifeMsMin)
    throw new StartError(`signingKeyLifeMs is ${signingKeyLifeMs}: give a whole number from ${signingKeyLifeMsMin}.`);
  for (const path of pagePaths)
    if (!/^\/[^*?#]*\*?$/.test(path) || (path.endsWith("*") && !path.endsWith("/*")))
      throw new StartError(`pagePaths: "${path}" is no path; write /cards for one address, /cards/* for all below.`);
  const limits = limitsOf(options.limits ?? {});
  return {
    app,
    data: pathOf(options.data),
    store: options.store,
    mode,
    authenticate,
    issuers: issuersOf(issuers),
    providers: oidcSettingsOf(providers),
    supabase: options.supabase && supabaseOptionsOf(options.supabase),
    signInLinks,
    sessionLifeMs,
    signingKeyLifeMs,
    reach,
    port,
    origins: options.origins ?? [],
    page: options.page === undefined ? undefined : pathOf(options.page),
    pagePaths,
    version: options.version ?? "0.0.0",
    limits,
    admission: admissionOf(options.admission ?? {}, limits),
    lifetimes: lifetimesOf(options.retention ?? {}),
    alertWebhook: webhookOf(options.alertWebhook),
    dashboardMetrics: options.dashboardMetrics ?? false,
    flags: flagsOf(options.flags),
    telemetry: options.telemetry ?? false,
    restart: options.restart,
    log: options.log ?? createLog({ level: "info", stream: process.stderr }),
    clock: options.clock ?? platformClock,
    random: options.random ?? platformRandom,
  };
}

/** F79: what was not said is no reason to start with less. */
function requireProduction(reach: Reach, waysToSignIn: number): void {
  if (reach.tls === undefined && reach.publicUrl?.startsWith("https:") !== true)
    throw new StartError(
      "mode is production without encryption: give --public-url https://<name> where a proxy ends TLS, or --tls-cert and --tls-key to end it here.",
    );
  if (waysToSignIn === 0)
    throw new StartError(
      "mode is production, and there is no way to sign in: name a provider or an issuer, or set signIn.links to true for links made on this machine.",
    );
}

function webhookOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    throw new StartError(
      `alertWebhook: give an http or https address without a user name, such as https://example.com/hook.`,
    );
  return address;
}

function flagsOf(flags: ServerOptions["flags"]): FlagSource | undefined {
  return flags === undefined || "provider" in flags ? flags : { file: pathOf(flags.file) };
}

function limitsOf(raised: Partial<ConnectionLimits>): ConnectionLimits {
  const all = { ...defaultConnectionLimits, ...raised };
  for (const [name, value] of Object.entries(all))
    if (!Number.isInteger(value) || value < 1)
      throw new StartError(`limits.${name} is ${value}: give a whole number from 1.`);
  return all;
}

function admissionOf(raised: Partial<AdmissionLimits>, limits: ConnectionLimits): AdmissionLimits {
  const all = admissionLimitsOf(raised, limits);
  for (const [name, value] of Object.entries(all))
    if (!Number.isInteger(value) || value < 1)
      throw new StartError(`admission.${name} is ${value}: give a whole number from 1.`);
  const contradiction = contradictionOf(all, limits);
  if (contradiction !== undefined) throw new StartError(`admission: ${contradiction}`);
  return all;
}

function tlsOf(tls: ServerOptions["tls"]): { readonly cert: string; readonly key: string } | undefined {
  return tls === undefined ? undefined : { cert: pathOf(tls.cert), key: pathOf(tls.key) };
}

function lifetimesOf(changed: Partial<Lifetimes>): Lifetimes {
  const all = { ...defaultLifetimes, ...changed };
  for (const [name, value] of Object.entries(all)) {
    const least = name === "workBytesMax" ? workBytesMin : keptAlwaysMs;
    if (!Number.isSafeInteger(value) || value < least)
      throw new StartError(`retention.${name} is ${value}: give a whole number from ${least}.`);
  }
  return all;
}

function pathOf(place: string | URL): string {
  return typeof place === "string" ? place : fileURLToPath(place);
}
