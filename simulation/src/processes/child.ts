/**
 * A program of ours in a process group of its own, to be killed, stopped and watched.
 *
 * Life cycle: running ⇄ stopped (SIGSTOP, SIGCONT) → ended. Invariant: nothing that was started here outlives this
 * process, as long as that ends by itself; a signal to one that is gone is what was wanted.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { endProcess, personsEnvironment } from "../../../e2e/src/processes.ts";

const lineCharactersMax = 10_000_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly ended: Ended | undefined;
  /** To the whole group. */
  signal(name: NodeJS.Signals): void;
  /** Resolves once it is gone. */
  readonly gone: Promise<Ended>;
  /** One line to its standard input. */
  tell(line: string): void;
}

export interface ChildOptions {
  readonly parameters: readonly string[];
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Hears each whole line. */
  readonly onOutput?: (line: string) => void;
  readonly onErrors?: (line: string) => void;
}

const living = new Set<Child>();
process.on("exit", endChildren);

/** Ends all that still run, by force. */
export function endChildren(): void {
  for (const child of living) child.signal("SIGKILL");
}

/** Starts Node, the one that runs this, with these parameters. */
export function startNode(options: ChildOptions): Child {
  const child = spawn(process.execPath, [...options.parameters], {
    cwd: options.directory,
    env: { ...personsEnvironment(), NODE_NO_WARNINGS: "1", ...options.environment },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let ended: Ended | undefined;
  eachLine(child, "stdout", options.onOutput);
  eachLine(child, "stderr", options.onErrors);
  child.stdin?.on("error", () => {});
  const gone = new Promise<Ended>((done) => {
    child.once("exit", (code, signal) => {
      ended = { code, signal };
      living.delete(started);
      done(ended);
    });
    child.once("error", () => {
      ended = { code: null, signal: null };
      living.delete(started);
      done(ended);
    });
  });
  const started: Child = {
    pid: child.pid ?? 0,
    get ended() {
      return ended;
    },
    gone,
    signal(name) {
      if (ended === undefined && child.pid !== undefined) endProcess(-child.pid, name);
    },
    tell(line) {
      if (ended === undefined) child.stdin?.write(`${line}\n`);
    },
  };
  living.add(started);
  return started;
}

/** Ends politely, or by force after `msMax`. */
export async function end(child: Child, msMax: number): Promise<Ended> {
  child.signal("SIGCONT");
  child.signal("SIGTERM");
  const timer = setTimeout(() => child.signal("SIGKILL"), msMax);
  const ended = await child.gone;
  clearTimeout(timer);
  return ended;
}

function eachLine(child: ChildProcess, name: "stdout" | "stderr", hear: ((line: string) => void) | undefined): void {
  let rest = "";
  child[name]?.setEncoding("utf8").on("data", (piece: string) => {
    if (hear === undefined) return;
    const lines = (rest + piece).split("\n");
    rest = (lines.pop() ?? "").slice(-lineCharactersMax);
    for (const line of lines) hear(line);
  });
}
