/** `npm run bench -- <question> [--seconds n] [--runs n] [--peers a,b] [--profile folder] [--patience seconds] [--dry-run]`, read and refused. */
import { parseArgs } from "node:util";
import { type PeerName, peerNames } from "./peers/peers.ts";
import type { Question } from "./questions/question.ts";

export interface Asked {
  readonly question: Question;
  readonly seconds: number;
  readonly runs: number;
  readonly peers: readonly PeerName[];
  readonly profile: string | undefined;
  readonly patienceMs: number;
  /** Whether the result is written into `results/`. */
  readonly keep: boolean;
}

const patienceSeconds = 20;

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Throws `UsageError` with what to say instead. */
export function readCommandLine(parameters: readonly string[], questions: readonly Question[]): Asked {
  const { values, positionals } = parse(parameters);
  const [name, ...rest] = positionals;
  const question = questions.find((one) => one.name === name);
  if (question === undefined || rest.length > 0) throw new UsageError(usage(questions, name));
  return {
    question,
    seconds: positive("seconds", values.seconds, question.defaults.seconds),
    runs: positive("runs", values.runs, question.defaults.runs),
    peers: values.peers === undefined ? peerNames : values.peers.split(",").map(peerOf),
    profile: values.profile,
    patienceMs: positive("patience", values.patience, patienceSeconds) * 1_000,
    keep: values["dry-run"] !== true,
  };
}

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        seconds: { type: "string" },
        runs: { type: "string" },
        peers: { type: "string" },
        profile: { type: "string" },
        patience: { type: "string" },
        "dry-run": { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new UsageError(`--${name} ${text}: give a number above 0`);
  return value;
}

function peerOf(text: string): PeerName {
  const found = peerNames.find((name) => name === text);
  if (found === undefined) throw new UsageError(`--peers ${text}: the peers are ${peerNames.join(", ")}`);
  return found;
}

function usage(questions: readonly Question[], name: string | undefined): string {
  const list = questions.map((question) => `  ${question.name.padEnd(18)}${question.asks}`).join("\n");
  return `${name === undefined ? "Name a question" : `There is no question "${name}"`}:\n${list}\nOptions: --seconds n, --runs n, --peers ${peerNames.join(",")}, --profile <folder>, --patience <seconds to wait for a quiet machine>, --dry-run`;
}
