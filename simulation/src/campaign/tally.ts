/**
 * What a campaign adds up to: deliveries, faults that took effect, in how many seeds, and which pairs of state and
 * fault were there; and what of that is missing where a whole campaign must have it all.
 */
import { type FaultClass, faultClasses } from "../cover/faults.ts";
import { listedPairs } from "../cover/pairs.ts";
import type { RunResult } from "../run.ts";

/** A whole campaign has each fault class in at least so many seeds. */
const seedsOfClassMin = 20;

export interface Tally {
  seeds: number;
  virtualMs: number;
  events: number;
  deliveries: number;
  committed: number;
  readonly effects: Map<FaultClass, { times: number; seeds: number }>;
  readonly pairs: Map<string, number>;
  readonly failures: RunResult[];
}

export function makeTally(): Tally {
  return {
    seeds: 0,
    virtualMs: 0,
    events: 0,
    deliveries: 0,
    committed: 0,
    effects: new Map(faultClasses.map((name) => [name, { times: 0, seeds: 0 }])),
    pairs: new Map(),
    failures: [],
  };
}

export function add(tally: Tally, result: RunResult): void {
  tally.seeds += 1;
  tally.virtualMs += result.virtualMs;
  tally.events += result.events;
  tally.deliveries += result.deliveries;
  tally.committed += result.committed;
  for (const [name, times] of Object.entries(result.effects)) {
    const sum = tally.effects.get(name as FaultClass);
    if (sum === undefined) continue;
    sum.times += times;
    sum.seeds += 1;
  }
  for (const [pair, times] of Object.entries(result.pairs)) tally.pairs.set(pair, (tally.pairs.get(pair) ?? 0) + times);
  if (result.failure !== undefined) tally.failures.push(result);
}

export function faultsOf({ effects }: Tally): number {
  let sum = 0;
  for (const { times } of effects.values()) sum += times;
  return sum;
}

/** What a whole campaign should have had and had not, in sentences. */
export function missing(tally: Tally): string[] {
  const classes = [...tally.effects]
    .filter(([, { seeds }]) => seeds < seedsOfClassMin)
    .map(([name, { seeds }]) => `the fault ${name} took effect in ${seeds} seeds, ${seedsOfClassMin} at least`);
  const pairs = listedPairs.filter((pair) => !tally.pairs.has(pair)).map((pair) => `no fault met its state: ${pair}`);
  return [...classes, ...pairs];
}

/** The table that a campaign ends with. */
export function table(tally: Tally): string {
  const rows = [...tally.effects].map(([name, { times, seeds }]) => [name, number(times), number(seeds)]);
  const reached = listedPairs.filter((pair) => tally.pairs.has(pair)).length;
  return [
    `${number(tally.seeds)} seeds, ${(tally.virtualMs / 3_600_000).toFixed(1)} virtual hours, ${number(tally.events)} events`,
    `${number(tally.committed)} events committed, ${number(tally.deliveries)} deliveries judged`,
    `${number(faultsOf(tally))} faults that took effect; ${reached} of ${listedPairs.length} listed pairs of state and fault`,
    "",
    aligned([["fault", "times", "seeds"], ...rows]),
    "",
    aligned([["state × fault", "times"], ...listedPairs.map((pair) => [pair, number(tally.pairs.get(pair) ?? 0)])]),
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join("  ")}`).join("\n");
}

function number(value: number): string {
  return value.toLocaleString("en");
}
