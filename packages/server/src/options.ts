/**
 * What `createServer` takes, and what it gives back. Only `app` and `data` must be named: each other field says
 * its default. `settings.ts` reads them, once; numbers that no field names are in `limits.ts` of `protocol`.
 */

import type { Clock, Random } from "@holdfast/protocol";
import type { Provider } from "@openfeature/server-sdk";
import type { AdmissionLimits } from "./admission/limits.ts";
import type { Authenticate } from "./auth/appSignIn.ts";
import type { IssuerOptions } from "./auth/issuers/issuer.ts";
import type { OidcOptions } from "./auth/oidc/settings.ts";
import type { SupabaseOptions } from "./auth/supabase/options.ts";
import type { ConnectionLimits } from "./connectionLimits.ts";
import type { Mode } from "./mode.ts";
import type { Log } from "./observe/log.ts";
import type { Lifetimes } from "./store/lifetimes.ts";
import type { RetentionFigures } from "./store/retention.ts";

export { StartError } from "./startError.ts";

export type { Mode };

export interface ServerOptions {
  /** The app: a module that exports `plugin` (see `define.ts`), as a URL, since the store's worker imports it too. */
  readonly app: URL;
  /** Folder of the embedded store. Created with mode 0700 where missing; locked while in use. */
  readonly data: string | URL;
  /**
   * PostgreSQL ≥ 15 in the place of the embedded store, for any number of servers: `postgres://user:password@host/database`.
   * `busUrl`: a direct connection for notices between them, where `url` is a pooler's that passes none on.
   */
  readonly store?: { readonly url: string; readonly busUrl?: string };
  /**
   * `local` by default: people sign in, by a link. `development`: whoever reaches the port is an admin (AU-6).
   * `production`: refuses to start without https and a way to sign in that was asked for (F79).
   */
  readonly mode?: Mode;
  /**
   * Signs people in as the app does it, in place of the link: who sent this request, or null. Asked once an
   * opening, and for each HTTP call. By default the built-in sign-in, or in development mode nobody is asked.
   */
  readonly authenticate?: Authenticate;
  /**
   * Whose tokens sign people in besides the built-in sign-in: key sets (JWKS) and shared secrets; for a Supabase project
   * see `supabaseIssuer`. None by default. The page's `getToken` gives such a token, or a program's `Authorization`.
   */
  readonly issuers?: readonly IssuerOptions[];
  /** Where people may sign in at a provider's own page (OpenID Connect); a button each on the sign-in page. None by default. */
  readonly providers?: readonly OidcOptions[];
  /**
   * A Supabase project whose people sign in on the page by e-mail and password, or by a link in an e-mail; its tokens must be
   * taken by `issuers`. None by default.
   */
  readonly supabase?: SupabaseOptions;
  /** Whether people may sign in by links that are made on the server's machine: true, but in production false. */
  readonly signInLinks?: boolean;
  /** How long a sign-in by link lasts, ms, unless the page refreshes it (AU-7), as pages do; 30 days by default. */
  readonly sessionLifeMs?: number;
  /** After how long another key signs sessions and API keys, ms; 90 days by default. What was signed before holds on. */
  readonly signingKeyLifeMs?: number;
  /** An address to listen on; `127.0.0.1` by default. Another than loopback needs `publicUrl`, and `tls` or `trustProxies`. */
  readonly host?: string;
  /** The origin under which people reach the server, `https://fleet.example.com`, where that is not the loopback address. */
  readonly publicUrl?: string;
  /** PEM files of a certificate and its key, to end TLS here; read anew when they change. */
  readonly tls?: { readonly cert: string | URL; readonly key: string | URL };
  /** Addresses or networks of the proxies in front, whose `X-Forwarded-For` is believed; nobody's by default. */
  readonly trustProxies?: readonly string[];
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** Origins besides the own one that may open sockets and call methods (AU-5); none by default. */
  readonly origins?: readonly string[];
  /** Folder of the built page, which holds `index.html`; by default there is none. */
  readonly page?: string | URL;
  /** The page's own addresses, which `index.html` answers: `/` by default. `/cards/*` is all below `/cards/`. */
  readonly pagePaths?: readonly string[];
  /** The app's; told by `/healthz` and `/api/session`. `0.0.0` by default. */
  readonly version?: string;
  /** Limits of AD-5, raised or lowered one by one. */
  readonly limits?: Partial<ConnectionLimits>;
  /** How many may come how fast, and how a failing store is treated (section 10), one by one. */
  readonly admission?: Partial<AdmissionLimits>;
  /** How long events and answers are kept, changed one by one; 90 days or 10 GB of work by default (ST-10). */
  readonly retention?: Partial<Lifetimes>;
  /** Where alerts are sent besides the log and the page: an http(s) address that takes a POST of JSON. */
  readonly alertWebhook?: string;
  /** Metrics also under the names `dashboard_…` that operators of older systems know; false by default. */
  readonly dashboardMetrics?: boolean;
  /**
   * Who may use what of `welcome.features`: a file of flags in flagd's format, which is read anew when it changes, or
   * any OpenFeature provider. Absent: everybody has all.
   */
  readonly flags?: { readonly file: string | URL } | { readonly provider: Provider };
  /**
   * Whether spans and metrics go to where OpenTelemetry's own variables (`OTEL_…`) say; nothing does where they say
   * nothing. False by default: an app's environment is the app's.
   */
  readonly telemetry?: boolean;
  /**
   * In development mode: starts this server again, with the same options and on the same port, when somebody asks for it
   * on the page's Weather. Absent: it is not offered.
   */
  readonly restart?: () => void;
  /** By default one JSON line a record on standard error, from `info` up. */
  readonly log?: Log;
  /** For tests and the simulation; the platform's by default. */
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Server {
  /** For people: `publicUrl`, else `http://127.0.0.1:4400` with the port that was really taken. */
  readonly url: string;
  /** For programs of this machine: the same, but past a proxy. */
  readonly localUrl: string;
  /** The port that was really taken. */
  readonly port: number;
  /** Makes a single-use sign-in code of 10 minutes for the owner of this machine. Rejects with `authenticate`, and where `signInLinks` is false. */
  signInCode(): Promise<string>;
  /** An API key for an agent of this machine: may enrol one agent (OP-6). */
  agentKey(name: string): Promise<string>;
  /** The same, but one a name for all servers on the database: an agent that moves between them stays the same agent. */
  sharedAgentKey(name: string): Promise<string>;
  /** A new API key of the owner for this machine's command line; ends the one before of this data folder. */
  operatorKey(): Promise<string>;
  /** What retention has removed since the start, and how large the store is. */
  retention(): RetentionFigures;
  /** CL-9: no more upgrades, `bye` 1012 to all, finish what was accepted, close the store. Idempotent. */
  close(): Promise<void>;
}
