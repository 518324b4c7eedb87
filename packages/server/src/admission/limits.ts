/**
 * How many may come, how fast, and how a node treats a store that fails (PROTOCOL.md section 10).
 *
 * All are settings with the defaults of that section. Invariant: {@link contradictionOf} finds none, which
 * `settings.ts` asks at start, so that no room meets numbers that exclude each other (F77, LV-5).
 */
import type { ConnectionLimits } from "../connectionLimits.ts";

export interface AdmissionLimits {
  /** CL-4, AD-3: the budget of a node, openings begun a second. */
  readonly openingsPerSecond: number;
  /** AD-3: openings between their `hello` and their `welcome`. */
  readonly openingsUnderWayMax: number;
  /** AD-3: openings with a due slot that wait for the budget. */
  readonly openingsWaitingMax: number;
  /** AD-3: sockets without a `hello`, of the node and of one address. */
  readonly socketsWithoutHelloMax: number;
  readonly socketsWithoutHelloPerAddressMax: number;
  /** AD-1: openings of one person or agent at once, and a minute. */
  readonly openingsPerPrincipalBurst: number;
  readonly openingsPerPrincipalPerMinute: number;
  /** AD-1: openings of one address that do not get to `welcome`, at once and a second. */
  readonly openingsPerAddressBurst: number;
  readonly openingsPerAddressPerSecond: number;
  /** AD-2: consecutive failures of the store that open its breaker. */
  readonly storeFailuresMax: number;
  /** AD-2: from one probe of a failed store to the next, and how long one may take, ms. */
  readonly storeProbeEveryMs: number;
  readonly storeProbeMsMax: number;
  /** Deadline of every other call of the store, ms. */
  readonly storeCallMsMax: number;
  /** Calls of `read` methods that are at the store at once; others wait their turn here. */
  readonly storeQueriesUnderWayMax: number;
  /** Lines of one event at `info` that are written in a minute; one more says how many were not. */
  readonly logLinesPerMinuteMax: number;
}

export const defaultAdmissionLimits: AdmissionLimits = {
  openingsPerSecond: 500,
  openingsUnderWayMax: 200,
  openingsWaitingMax: 2_000,
  socketsWithoutHelloMax: 2_000,
  socketsWithoutHelloPerAddressMax: 100,
  openingsPerPrincipalBurst: 60,
  openingsPerPrincipalPerMinute: 10,
  openingsPerAddressBurst: 200,
  openingsPerAddressPerSecond: 20,
  storeFailuresMax: 3,
  storeProbeEveryMs: 5_000,
  storeProbeMsMax: 2_000,
  storeCallMsMax: 10_000,
  storeQueriesUnderWayMax: 16,
  logLinesPerMinuteMax: 60,
};

/** Above AD-5's limit by so many: whoever holds all its connections may lose some and come back. */
const burstAboveConnections = 10;

/** The defaults with what an app raised; the burst follows the connections of one principal where it is not named. */
export function admissionLimitsOf(
  raised: Partial<AdmissionLimits>,
  { connectionsPerPrincipal }: Pick<ConnectionLimits, "connectionsPerPrincipal">,
): AdmissionLimits {
  const openingsPerPrincipalBurst = Math.max(
    defaultAdmissionLimits.openingsPerPrincipalBurst,
    connectionsPerPrincipal + burstAboveConnections,
  );
  return { ...defaultAdmissionLimits, openingsPerPrincipalBurst, ...raised };
}

/** A sentence that names two numbers which exclude each other; undefined where there are none. */
export function contradictionOf(
  limits: AdmissionLimits,
  { connectionsPerPrincipal }: Pick<ConnectionLimits, "connectionsPerPrincipal">,
): string | undefined {
  const [found] = [
    [limits, "storeProbeMsMax", limits, "storeProbeEveryMs"],
    [limits, "socketsWithoutHelloPerAddressMax", limits, "socketsWithoutHelloMax"],
    [{ connectionsPerPrincipal }, "connectionsPerPrincipal", limits, "openingsPerPrincipalBurst"],
  ]
    .map(([low, lowName, high, highName]) => ({
      low: (low as Record<string, number>)[lowName as string] ?? 0,
      high: (high as Record<string, number>)[highName as string] ?? 0,
      lowName,
      highName,
    }))
    .filter(({ low, high }) => low > high);
  if (found === undefined) return undefined;
  return `${found.lowName} (${found.low}) is more than ${found.highName} (${found.high}); lower the first or raise the second.`;
}
