/**
 * The configuration tree: every setting of the server, once, with type, unit, default and one sentence.
 *
 * A path (`log.level`) is the place in `config.json`; the environment's name follows from it
 * (`HOLDFAST_LOG_LEVEL`). A flag exists only where it is named here. Invariant: {@link Config} and the table
 * have the same leaves (a test compares them). It deliberately holds no logic: `resolve.ts` does the layering.
 */
import type { AdmissionLimits } from "@holdfast/server/admission";
import { admissionFields } from "./admissionFields.ts";
import { type AssistantsConfig, assistantFields } from "./assistantFields.ts";
import { type IdentityConfig, identityFields } from "./identityFields.ts";
import {
  address,
  choice,
  databaseUrl,
  integer,
  type Kind,
  networks,
  optional,
  origin,
  origins,
  path,
  truth,
  webAddress,
} from "./values.ts";

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string | null;
  readonly tls: { readonly cert: string | null; readonly key: string | null };
  readonly trustProxies: readonly string[];
  readonly retention: {
    readonly workDays: number;
    readonly workGigabytes: number;
    readonly recordDays: number;
    readonly auditDays: number;
  };
  readonly data: string;
  readonly mode: "local" | "development" | "production";
  readonly database: { readonly url: string | null; readonly busUrl: string | null };
  readonly origins: readonly string[];
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "pretty" };
  readonly metrics: { readonly dashboardNames: boolean };
  readonly flags: { readonly file: string | null };
  readonly alerts: { readonly webhook: string | null };
  readonly agents: { readonly shell: boolean; readonly demo: boolean; readonly assistants: boolean };
  readonly printSignIn: boolean;
  readonly signIn: {
    readonly links: boolean | null;
    readonly lifeSeconds: number;
    readonly keyDays: number;
  } & IdentityConfig;
  readonly admission: AdmissionLimits;
  readonly assistants: AssistantsConfig;
}

export interface Field<Value = unknown> {
  /** Names in the tree, joined by dots. */
  readonly path: string;
  readonly kind: Kind<Value>;
  readonly default: Value;
  /** One sentence for the person who sets it. */
  readonly sentence: string;
  readonly unit?: string;
  /** Masked wherever the tree is shown. */
  readonly secret: boolean;
  /** A variable that many platforms set, read where ours is not. */
  readonly commonVariable?: string;
  /** The flag's name without dashes. */
  readonly flag?: string;
  /** The flag alone means true. */
  readonly flagIsSwitch?: boolean;
}

export const fields: readonly Field[] = [
  field({
    path: "port",
    kind: integer(0, 65_535, "0 picks a free one"),
    default: 4400,
    unit: "TCP port",
    sentence: "Where the server listens; 0 picks a free one.",
    flag: "port",
  }),
  field({
    path: "host",
    kind: address(),
    default: "127.0.0.1",
    sentence: "The address to listen on; another than loopback needs --public-url, and TLS files or --trust-proxies.",
    flag: "host",
  }),
  field({
    path: "publicUrl",
    kind: optional(origin()),
    default: null,
    sentence: "The origin under which people reach the server, https://fleet.example.org; else its loopback address.",
    flag: "public-url",
  }),
  field({
    path: "tls.cert",
    kind: optional(path()),
    default: null,
    sentence: "The PEM file of a certificate and its chain, to end TLS here; read anew when it changes.",
    flag: "tls-cert",
  }),
  field({
    path: "tls.key",
    kind: optional(path()),
    default: null,
    sentence: "The PEM file of the certificate's key.",
    flag: "tls-key",
  }),
  field({
    path: "trustProxies",
    kind: networks(),
    default: [],
    sentence: "Addresses or networks of the proxies in front, whose X-Forwarded-For is believed.",
    flag: "trust-proxies",
  }),
  field({
    path: "data",
    kind: path(),
    default: ".holdfast",
    sentence: "The folder of the embedded store, made where missing; relative to where the command is run.",
    flag: "data",
  }),
  field({
    path: "mode",
    kind: choice(["local", "development", "production"]),
    default: "local",
    sentence:
      "local: people sign in by link; production: refuses to start without https, a named store and a way to sign in; development: nobody needs to sign in, for work on Holdfast itself.",
    flag: "mode",
  }),
  field({
    path: "database.url",
    kind: optional(databaseUrl()),
    default: null,
    sentence: "PostgreSQL 15 or newer in the place of the embedded store, for any number of servers.",
    secret: true,
    commonVariable: "DATABASE_URL",
    flag: "database-url",
  }),
  field({
    path: "database.busUrl",
    kind: optional(databaseUrl()),
    default: null,
    sentence: "A direct connection to the same database, where the other is a pooler's that passes no notices on.",
    secret: true,
    commonVariable: "BUS_DATABASE_URL",
  }),
  field({
    path: "origins",
    kind: origins(),
    default: [],
    sentence: "Web origins besides the own one that may open sockets and call methods.",
  }),
  field({
    path: "log.level",
    kind: choice(["debug", "info", "warn", "error"]),
    default: "info",
    sentence: "What is below it is not logged.",
    flag: "log-level",
  }),
  field({
    path: "log.format",
    kind: choice(["auto", "json", "pretty"]),
    default: "auto",
    sentence: "auto: pretty on a terminal, one JSON object a line otherwise.",
  }),
  field({
    path: "metrics.dashboardNames",
    kind: truth(),
    default: false,
    sentence:
      "Whether /metrics has the openings also under the names dashboard_…, which older systems' panels ask for.",
  }),
  field({
    path: "alerts.webhook",
    kind: optional(webAddress()),
    default: null,
    sentence: "Where alerts are posted as JSON, besides the log and the page of connections.",
    secret: true,
  }),
  field({
    path: "flags.file",
    kind: optional(path()),
    default: null,
    sentence: "A file of flags in flagd's format: who may use what; read anew when it changes.",
  }),
  field({
    path: "agents.shell",
    kind: truth(),
    default: true,
    sentence: "Whether this machine's shell runs as an agent.",
  }),
  field({
    path: "agents.demo",
    kind: truth(),
    default: true,
    sentence: "Whether the scripted demo agent runs.",
  }),
  field({
    path: "agents.assistants",
    kind: truth(),
    default: true,
    sentence:
      "Whether the chat assistants may run here, in a process of their own; of several servers on one database one runs them, and another when it dies.",
  }),
  field({
    path: "printSignIn",
    kind: truth(),
    default: false,
    sentence: "Whether a sign-in link is printed at start also where standard output is no terminal.",
    flag: "print-sign-in",
    flagIsSwitch: true,
  }),
  field({
    path: "retention.workDays",
    kind: integer(1, 36_500, "a year is 365"),
    default: 90,
    unit: "days",
    sentence: "How long what agents did is kept, in threads where nothing is open.",
  }),
  field({
    path: "retention.workGigabytes",
    kind: integer(1, 1_000_000, "10 is 10 GB"),
    default: 10,
    unit: "GB",
    sentence: "How much is kept; above it what a newer screen replaces goes first, then the oldest work.",
  }),
  field({
    path: "retention.recordDays",
    kind: integer(1, 36_500, "two weeks are 14"),
    default: 14,
    unit: "days",
    sentence: "How long the changes of the fleet and of the list of threads are kept.",
  }),
  field({
    path: "retention.auditDays",
    kind: integer(30, 36_500, "at least 30"),
    default: 365,
    unit: "days",
    sentence: "How long the audit is kept.",
  }),
  field({
    path: "signIn.links",
    kind: optional(truth()),
    default: null,
    sentence: "Whether people sign in by links that this machine's command line makes; null: yes, in production no.",
  }),
  field({
    path: "signIn.lifeSeconds",
    kind: integer(10, 365 * 86_400, "a month is 2592000"),
    default: 30 * 86_400,
    unit: "s",
    sentence: "How long a sign-in lasts unless it is refreshed, which pages do by themselves.",
  }),
  field({
    path: "signIn.keyDays",
    kind: integer(1, 3_650, "90 is a quarter"),
    default: 90,
    unit: "days",
    sentence: "After how long another key signs sessions and API keys; what the one before signed holds on.",
  }),
  ...identityFields,
  ...admissionFields,
  ...assistantFields,
];

/** Whether a link that is made on this machine signs somebody in. */
export function linksSignIn({ mode, signIn }: Pick<Config, "mode" | "signIn">): boolean {
  return signIn.links ?? mode !== "production";
}

/** `log.level` → `HOLDFAST_LOG_LEVEL`, `printSignIn` → `HOLDFAST_PRINT_SIGN_IN`. */
export function environmentName(path: string): string {
  return `HOLDFAST_${path
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

/** Checks a row's types against each other, and forgets them: the table is a list of rows of all types. */
function field<Value>(row: Omit<Field<Value>, "secret"> & { readonly secret?: boolean }): Field {
  return { ...row, secret: row.secret ?? false };
}
