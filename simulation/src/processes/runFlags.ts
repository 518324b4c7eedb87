/** The flags of `chaos` and `soak`, read and refused in one sentence. Pure. */
import { parseArgs } from "node:util";

export interface RunFlags {
  readonly minutes: number;
  readonly seed: number | undefined;
  readonly ledger: boolean;
}

export function readRunFlags(
  argv: readonly string[],
  minutesByDefault: number,
): RunFlags | { readonly problem: string } {
  let values: { minutes?: string; seed?: string; ledger?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { minutes: { type: "string" }, seed: { type: "string" }, ledger: { type: "boolean" } },
    }));
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const minutes = Number(values.minutes ?? minutesByDefault);
  if (!(minutes > 0 && minutes <= 24 * 60)) return { problem: `--minutes is ${values.minutes}: give 0.1 to 1440.` };
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (seed !== undefined && !Number.isSafeInteger(seed))
    return { problem: `--seed is ${values.seed}: give a whole number.` };
  return { minutes, seed, ledger: values.ledger === true };
}
