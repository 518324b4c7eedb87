/**
 * Every process that a test starts carries a mark in its environment, and so do its children.
 *
 * A child that made a session of its own (the local agents) or lost its parent (after a SIGKILL) can be found
 * by nothing else. After each test nothing marked may be left; what is left is ended and the test fails.
 */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { waitFor } from "./waiting.ts";

const listBytesMax = 64 * 1024 * 1024;
const leftMsMax = 15_000;

/** The mark of this test file. */
export const mark = `E2E_RUN=${randomUUID()}`;

/** What a test runner or npm adds to an environment, and what would lead the product elsewhere. */
const notAPersons =
  /^(npm_|VITEST|HOLDFAST_|NODE_ENV$|NODE_OPTIONS$|(BUS_)?DATABASE_URL$|TEST$|MODE$|DEV$|PROD$|SSR$)/i;

/** The environment of a person who types a command. */
export function personsEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !notAPersons.test(key)));
}

/** The same with the mark. */
export function markedEnvironment(): NodeJS.ProcessEnv {
  const [name = "", value = ""] = mark.split("=");
  return { ...personsEnvironment(), [name]: value };
}

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** Those that carry the mark now. `ps` shows environments on Linux and macOS alike. */
export function markedProcesses(): readonly MarkedProcess[] {
  const list = execFileSync("ps", ["axeww", "-o", "pid=,args="], { encoding: "utf8", maxBuffer: listBytesMax });
  return list.split("\n").flatMap((line) => {
    const match = line.includes(mark) ? /^\s*(\d+) (.*)$/.exec(line) : null;
    return match === null ? [] : [{ pid: Number(match[1]), command: (match[2] ?? "").slice(0, 200) }];
  });
}

/** Fails when something marked is left after a while, and ends it. */
export async function expectNothingLeft(): Promise<void> {
  try {
    await waitFor(() => (markedProcesses().length === 0 ? true : undefined), { msMax: leftMsMax, what: "all ended" });
  } catch {
    const left = markedProcesses();
    for (const { pid } of left) endProcess(pid, "SIGKILL");
    throw new Error(`left running: ${left.map(({ pid, command }) => `${pid} ${command}`).join("\n")}`);
  }
}

/** Signals a process, or with a negative id its group; one that is gone already is what was wanted. */
export function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
