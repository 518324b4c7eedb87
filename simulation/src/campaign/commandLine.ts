/** `npm run sim -- …`, read and refused: which runs, on how many workers, with which bug planted. */
import { parseArgs } from "node:util";
import { bugNamed } from "../planted/bugs.ts";

export interface Asked {
  readonly isEightHours: boolean;
  readonly from: number;
  readonly count: number;
  /** A kept plan's file. */
  readonly plan: string | undefined;
  readonly workers: number;
  readonly planted: string | undefined;
  /** The name under which a shortened failing plan is kept in `simulation/regressions`. */
  readonly keep: string | undefined;
  /** Whether docs/trust.md gets a row. */
  readonly ledger: boolean;
  /** Whether every fault class and listed pair must have been there. */
  readonly isWhole: boolean;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

const seedsByDefault = 200;
const workersByDefault = 2;
/** A campaign of so many seeds must reach everything that is listed. */
export const wholeSeedsMin = 1_000;

export const usage = `npm run sim -- [options]
  --seeds n        so many seeds, 1 … n (${seedsByDefault})
  --from n         beginning with this one
  --seed n         this seed alone; where it fails it is shortened and drawn
  --plan file      a kept plan (simulation/regressions/…json)
  --eight-hours    twenty pages and five agents for eight virtual hours
  --workers n      processes (${workersByDefault})
  --planted id     with a planted bug
  --keep name      keeps the shortened plan of a failure in simulation/regressions
  --ledger         appends a row to docs/trust.md`;

/** Throws a `UsageError` that says what to write instead. */
export function readCommandLine(parameters: readonly string[]): Asked {
  const values = parse(parameters);
  if (values.planted !== undefined && bugNamed(values.planted) === undefined)
    throw new UsageError(`--planted ${values.planted}: there is no such bug; simulation/src/planted lists them`);
  const seed = values.seed === undefined ? undefined : count("seed", values.seed, 0);
  const seeds = seed === undefined ? count("seeds", values.seeds, seedsByDefault) : 1;
  return {
    isEightHours: values["eight-hours"] === true,
    from: seed ?? count("from", values.from, 1),
    count: seeds,
    plan: values.plan,
    workers: count("workers", values.workers, workersByDefault),
    planted: values.planted,
    keep: values.keep,
    ledger: values.ledger === true,
    isWhole: seeds >= wholeSeedsMin && values.planted === undefined,
  };
}

function parse(parameters: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    const { values } = parseArgs({
      args: [...parameters],
      options: {
        seeds: text,
        from: text,
        seed: text,
        plan: text,
        workers: text,
        planted: text,
        keep: text,
        ledger: flag,
        "eight-hours": flag,
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

function count(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} ${text}: give a whole number from 1`);
  return value;
}
