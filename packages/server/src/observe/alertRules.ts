/**
 * What is wrong now, judged from figures that a node has in memory: the same for the page and for whoever is called.
 *
 * Pure: the time and all figures are passed in. Invariant: an alert's `id` is of a fixed list and never names a case,
 * so that the same trouble is one alert however often it is judged; the sentence names the values and what they mean.
 */
import { neighbourOf } from "../admission/address.ts";
import type { ConnectionRecord } from "./connectionRecord.ts";
import { shortMs } from "./connectionRecord.ts";

/** All that there are; `monitor` is raised by whoever asks for the others (`alerts.ts`). */
export const alertIds = [
  "store_down",
  "store_errors",
  "storm",
  "short_connections",
  "failed_openings",
  "loop_delay",
  "internal_errors",
  "monitor",
] as const;

export interface Alert {
  readonly id: (typeof alertIds)[number];
  /** For a person: what is wrong. */
  readonly sentence: string;
}

export interface AlertFacts {
  /** ms since 1970. */
  readonly now: number;
  /** Since when the store is not asked, ms since 1970. */
  readonly storeDownSince: number | undefined;
  /** For how long the store has failed calls now and again, ms; 0: it does not. */
  readonly storeFailingMs: number;
  /** Openings attempted a client in the last minute. */
  readonly stormFactor: number;
  /** p99 of the delay of the event loop, ms; absent where nobody measures it. */
  readonly loopDelayMs: number | undefined;
  /** Connections that ended within {@link recentMs}. */
  readonly lately: readonly ConnectionRecord[];
}

/** How far back ended connections count, ms. */
export const recentMs = 5 * 60_000;
const minuteMs = 60_000;
const storeFailingMsMin = minuteMs;
const stormFactorMax = 2;
/** Fewer ends than this are no share of anything. */
const endsMin = 10;
const shortShareMax = 0.2;
const failedOpeningsMax = 3;
const loopDelayMsMax = 250;

/** The worst first. */
export function alertsOf(facts: AlertFacts): readonly Alert[] {
  return [storeDown(facts), storeErrors(facts), storm(facts), short(facts), failed(facts), loop(facts), internal(facts)]
    .flat()
    .filter((alert) => alert !== undefined);
}

type Verdict = Alert | undefined;

function storeDown({ storeDownSince }: AlertFacts): Verdict {
  if (storeDownSince === undefined) return undefined;
  const since = new Date(storeDownSince).toISOString();
  return {
    id: "store_down",
    sentence: `The database does not answer since ${since}: nobody is closed, and nothing new is stored.`,
  };
}

function storeErrors({ storeFailingMs, storeDownSince }: AlertFacts): Verdict {
  if (storeDownSince !== undefined || storeFailingMs < storeFailingMsMin) return undefined;
  const minutes = Math.floor(storeFailingMs / minuteMs);
  return {
    id: "store_errors",
    sentence: `The database has failed calls for ${minutes} min while it answers others; the log names them.`,
  };
}

function storm({ stormFactor }: AlertFacts): Verdict {
  if (stormFactor <= stormFactorMax) return undefined;
  const factor = Math.round(stormFactor * 100) / 100;
  return { id: "storm", sentence: `Each client opened ${factor} connections in the last minute; 1 is a calm day.` };
}

function short({ lately }: AlertFacts): Verdict {
  const ends = lately.filter(isShort);
  if (lately.length < endsMin || ends.length / lately.length <= shortShareMax) return undefined;
  const code = commonest(ends.map((record) => String(record.code)))?.[0];
  return {
    id: "short_connections",
    sentence: `${ends.length} of ${lately.length} connections that ended in ${recentMs / minuteMs} minutes lived less than ${shortMs / 1_000} s, most with code ${code}.`,
  };
}

/** Unexpected, and soon after its beginning. */
export function isShort({ durationMs, expected }: ConnectionRecord): boolean {
  return durationMs < shortMs && !expected;
}

/** Of one user or address: whoever it is, knocks at a door that stays shut. */
function failed({ lately, now }: AlertFacts): Verdict {
  const openings = lately.filter(
    ({ phases, at, durationMs }) => phases.welcomed === undefined && now - at - durationMs <= minuteMs,
  );
  const worst = commonest(openings.map(knockerOf));
  if (worst === undefined || worst[1] <= failedOpeningsMax) return undefined;
  return {
    id: "failed_openings",
    sentence: `${worst[1]} openings from ${worst[0]} failed in the last minute.`,
  };
}

/** A name alone is nobody's for sure; whoever has one IPv6 address has its network. */
function knockerOf({ user, userName = user, address }: ConnectionRecord): string {
  if (user === undefined) return neighbourOf(address);
  return userName === user ? user : `${userName} (${user})`;
}

function loop({ loopDelayMs }: AlertFacts): Verdict {
  if (loopDelayMs === undefined || loopDelayMs <= loopDelayMsMax) return undefined;
  return {
    id: "loop_delay",
    sentence: `The server's loop is late by ${Math.round(loopDelayMs)} ms (p99): whatever it does takes so much longer.`,
  };
}

function internal({ lately }: AlertFacts): Verdict {
  const told = lately.filter(({ errors }) => (errors["internal"] ?? 0) > 0).length;
  if (told === 0) return undefined;
  return {
    id: "internal_errors",
    sentence: `${told} of the connections that ended in ${recentMs / minuteMs} minutes met an error of ours; the log has it by name.`,
  };
}

function commonest(values: readonly string[]): readonly [string, number] | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, left], [, right]) => right - left)[0];
}
