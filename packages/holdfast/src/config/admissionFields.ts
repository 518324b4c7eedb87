/**
 * How many may come how fast, and how a failing store is treated: the server's own numbers, each a setting (AD-1…AD-4).
 *
 * Defaults and names are the server's (`@holdfast/server/admission`), so that the command and the library cannot
 * differ; here are only unit and sentence. A number that the server adds without a row here does not compile.
 */
import { type AdmissionLimits, defaultAdmissionLimits } from "@holdfast/server/admission";
import { integer } from "./values.ts";

const most = 1_000_000;

const rows: Readonly<Record<keyof AdmissionLimits, { readonly unit: string; readonly sentence: string }>> = {
  openingsPerSecond: {
    unit: "connections a second",
    sentence: "How many connections this node begins to open in a second; the others are told when it is their turn.",
  },
  openingsUnderWayMax: {
    unit: "connections",
    sentence: "How many may be on their way from hello to welcome at once.",
  },
  openingsWaitingMax: {
    unit: "connections",
    sentence: "How many whose turn has come may wait for a place.",
  },
  socketsWithoutHelloMax: {
    unit: "sockets",
    sentence: "How many may have said nothing yet; the oldest gives way.",
  },
  socketsWithoutHelloPerAddressMax: {
    unit: "sockets",
    sentence: "The same of one address; raise it where a proxy that is not in trustProxies brings everybody.",
  },
  openingsPerPrincipalBurst: {
    unit: "connections",
    sentence: "How many one person or agent may open at once, after a silence.",
  },
  openingsPerPrincipalPerMinute: {
    unit: "connections a minute",
    sentence: "How often one person or agent may come back, after a burst; more are told when to come again.",
  },
  openingsPerAddressBurst: {
    unit: "connections",
    sentence: "How many openings of one address may fail at once, after a silence.",
  },
  openingsPerAddressPerSecond: {
    unit: "connections a second",
    sentence: "How many openings of one address may fail after that.",
  },
  storeFailuresMax: {
    unit: "failures in a row",
    sentence: "After so many the database is left alone but for probes, and everybody who is here stays.",
  },
  storeProbeEveryMs: { unit: "ms", sentence: "From one probe of a database that has failed to the next." },
  storeProbeMsMax: { unit: "ms", sentence: "How long such a probe may take." },
  storeCallMsMax: { unit: "ms", sentence: "How long any other call of the database may take." },
  storeQueriesUnderWayMax: {
    unit: "calls",
    sentence: "How many methods that only read are at the database at once.",
  },
  logLinesPerMinuteMax: {
    unit: "lines",
    sentence: "How often one event is told at info in a minute; then one line says how often it was not.",
  },
};

/** For the table of all settings. */
export const admissionFields = Object.entries(rows).map(([name, row]) => ({
  ...row,
  path: `admission.${name}`,
  kind: integer(1, most, "at least one"),
  default: defaultAdmissionLimits[name as keyof AdmissionLimits],
  secret: false,
}));
