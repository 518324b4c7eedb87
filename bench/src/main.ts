/**
 * The bench: asks one question of Holdfast and its peers on this machine, and writes down what it saw.
 *
 * A result is kept as `results/<date>-<question>.json` with machine, versions, load and commit. It judges
 * nothing by itself: a missed goal is written, not failed; `test/` fails where a floor must hold.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Asked, readCommandLine, UsageError } from "./commandLine.ts";
import { commit, describeMachine, load } from "./machine.ts";
import { natsProgram } from "./peers/natsProgram.ts";
import { peers } from "./peers/peers.ts";
import { append } from "./questions/append.ts";
import { catchUp } from "./questions/catchUp.ts";
import { deliveryCost } from "./questions/deliveryCost.ts";
import { durableLatency } from "./questions/durableLatency.ts";
import { idleMemory } from "./questions/idleMemory.ts";
import { type Answer, type Finding, verdictOf } from "./questions/question.ts";
import { stalledReaders } from "./questions/stalledReaders.ts";

const questions = [deliveryCost, durableLatency, idleMemory, stalledReaders, catchUp, append];
const results = fileURLToPath(new URL("../results", import.meta.url));
const exitUsage = 2;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function ask(asked: Asked): Promise<void> {
  const { question, seconds, runs, profile, patienceMs } = asked;
  const hasNats = natsProgram() !== undefined;
  const measured = asked.peers.filter((peer) => peer !== "nats" || hasNats);
  const before = load();
  say(`${question.name}: ${question.asks}; ${runs} runs of ${seconds} s, load ${before}`);
  const answer = await question.run({ seconds, runs, peers: measured, profile, patienceMs, say });
  const reservations = [
    ...answer.reservations,
    ...(asked.peers.length === measured.length ? [] : ["nats-server is not installed here: it was not measured"]),
  ];
  for (const finding of answer.findings) say(lineOf(finding));
  for (const reservation of reservations) say(`! ${reservation}`);
  if (asked.keep) say(`written: ${keep(asked, answer, reservations, { before, after: load() })}`);
}

function lineOf(finding: Finding): string {
  const { what, unit, seen, goal, floor } = finding;
  const bounds =
    goal === undefined ? "" : `; goal ${goal}${floor === undefined ? "" : ` [${floor}]`}: ${verdictOf(finding)}`;
  return `  ${what}: ${seen.median} ${unit} (${seen.min}–${seen.max})${bounds}`;
}

function keep(asked: Asked, answer: Answer, reservations: readonly string[], loads: object): string {
  const date = new Date();
  const result = {
    question: asked.question.name,
    asks: asked.question.asks,
    at: date.toISOString(),
    commit: commit(),
    machine: describeMachine(),
    versions: answer.versions,
    does: Object.fromEntries(
      Object.keys(answer.versions).map((name) => [name, peers[name as keyof typeof peers].does]),
    ),
    load: loads,
    seconds: asked.seconds,
    runs: asked.runs,
    findings: answer.findings.map((finding) => ({ ...finding, verdict: verdictOf(finding) })),
    reservations,
    measured: answer.runs,
  };
  mkdirSync(results, { recursive: true });
  const name = `${date.toISOString().slice(0, 10)}-${asked.question.name}.json`;
  writeFileSync(`${results}/${name}`, `${JSON.stringify(result, null, 2)}\n`);
  return `bench/results/${name}`;
}

try {
  await ask(readCommandLine(process.argv.slice(2), questions));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = exitUsage;
}
