/**
 * The real product, started as a person starts it: `npm start -- …`, in a process group of its own.
 *
 * Life cycle: spawned → `ready <url>` → killed (SIGKILL to the group; the local agents live in sessions of
 * their own and survive, to be adopted by the next start) or stopped (a signal, then exit). Invariant: a start
 * that fails or a process that ends early shows all that it said. It deliberately knows nothing of the inside.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endProcess, expectNothingLeft, markedEnvironment } from "./processes.ts";
import { waitFor } from "./waiting.ts";

/** The first start may install and build the page. */
const readyMsMax = 120_000;
const endMsMax = 30_000;
const outputCharactersMax = 400_000;
const errorsCharactersMax = 4_000;

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface StartOptions {
  readonly mode: "local" | "development" | "production";
  /** The data folder; a new one where absent. */
  readonly data?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  readonly printSignIn?: boolean;
  /** Further ones, as a person would write them. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Holdfast {
  readonly url: string;
  readonly port: number;
  readonly data: string;
  /** From the spawn of npm to the line `ready`. */
  readonly readyMs: number;
  /** The link of `--print-sign-in`. */
  readonly signIn: () => Promise<string>;
  /** All of standard error so far, its beginning cut where it is long. */
  readonly errors: () => string;
  /** SIGKILL to the server's group; resolves when it is gone. The local agents live on. */
  kill(): Promise<void>;
  /** Resolves with the exit of npm and server. */
  stop(signal: "SIGTERM" | "SIGINT"): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
  readonly ms: number;
}

const running = new Set<Command>();
const folders = new Set<string>();

/** Starts it and waits for `ready`. */
export async function startHoldfast(options: StartOptions): Promise<Holdfast> {
  const data = options.data ?? newFolder();
  const flags = ["--mode", options.mode, "--port", String(options.port ?? 0), "--data", data, ...(options.flags ?? [])];
  const asked = [...flags, ...(options.printSignIn === true ? ["--print-sign-in"] : [])];
  const command = runCommand(asked, options.environment);
  const line = async (pattern: RegExp, what: string): Promise<string> =>
    await waitFor(
      () => {
        if (command.ended !== undefined) throw new Error(`ended before ${what}:\n${command.errors()}`);
        return pattern.exec(command.output())?.[1];
      },
      { msMax: readyMsMax, what },
    );
  const url = await line(/^ready (\S+)$/m, "`ready <url>`");
  const readyMs = performance.now() - command.startedAt;
  return {
    url,
    port: Number(new URL(url).port),
    data,
    readyMs,
    signIn: () => line(/^sign-in (\S+)$/m, "`sign-in <url>#<code>`"),
    errors: command.errors,
    kill: async () => {
      command.signalGroup("SIGKILL");
      await command.end();
    },
    stop: async (signal) => {
      command.signalGroup(signal);
      return await command.end();
    },
  };
}

/** Runs it until it ends by itself: for starts that must be refused. */
export async function runHoldfast(flags: readonly string[]): Promise<Ended> {
  return await runCommand(flags).end();
}

/** A folder of this test alone, removed after it. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-e2e-"));
  folders.add(folder);
  return folder;
}

/** After each test: ends what runs by SIGTERM, and fails when one does not end well or something of it is left. */
export async function endAll(): Promise<void> {
  const bad: string[] = [];
  for (const command of running) {
    if (command.ended !== undefined) continue;
    command.signalGroup("SIGTERM");
    const { code, signal, ms, errors } = await command.end();
    if (code !== 0)
      bad.push(`SIGTERM ended it with ${code ?? signal} after ${ms} ms:\n${errors.slice(-errorsCharactersMax)}`);
  }
  running.clear();
  try {
    await expectNothingLeft();
  } catch (error) {
    bad.unshift(String(error));
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    folders.clear();
  }
  if (bad.length > 0) throw new Error(bad.join("\n"));
}

/** `holdfast agent` as a process of its own, to a server or proxy at `server`. */
export function startAgent(flags: readonly string[], command: readonly string[] = []): { stop(): Promise<Ended> } {
  const main = join(root, "packages", "holdfast", "src", "main.ts");
  const rest = command.length === 0 ? [] : ["--", ...command];
  const agent = run(process.execPath, [main, "agent", ...flags, ...rest]);
  return {
    stop: async () => {
      agent.signalGroup("SIGTERM");
      return await agent.end();
    },
  };
}

export interface Command {
  readonly startedAt: number;
  readonly ended: Ended | undefined;
  output(): string;
  errors(): string;
  signalGroup(signal: NodeJS.Signals): void;
  end(): Promise<Ended>;
}

function runCommand(flags: readonly string[], environment?: Readonly<Record<string, string>>): Command {
  return run("npm", ["start", "--", ...flags], environment);
}

/** One process more at each start, which only tests of conversations need. */
const withoutAssistants = { HOLDFAST_AGENTS_ASSISTANTS: "false" };

/** A program in a process group of its own, ended after the test at the latest. */
export function run(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Command {
  const startedAt = performance.now();
  const child = spawn(program, parameters, {
    cwd: root,
    env: { ...markedEnvironment(), ...withoutAssistants, ...environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = collect(child, "stdout");
  const errors = collect(child, "stderr");
  let ended: Ended | undefined;
  const closed = new Promise<void>((done) => {
    // `exit`, not `close`: a local agent that lives on must not be able to hold our end back.
    child.once("exit", (code, signal) => {
      ended = { code, signal, output: output(), errors: errors(), ms: performance.now() - startedAt };
      done();
    });
    child.once("error", (error) => {
      ended = { code: null, signal: null, output: "", errors: error.message, ms: 0 };
      done();
    });
  });
  const command: Command = {
    startedAt,
    get ended() {
      return ended;
    },
    output,
    errors,
    signalGroup: (signal) => {
      if (child.pid !== undefined) endProcess(-child.pid, signal);
    },
    end: async () => {
      const timer = setTimeout(() => command.signalGroup("SIGKILL"), endMsMax);
      await closed;
      clearTimeout(timer);
      if (ended === undefined) throw new Error("a command closed without an end");
      // What it wrote last may still lie in the pipe.
      return { ...ended, output: output(), errors: errors() };
    },
  };
  running.add(command);
  return command;
}

function collect(child: ChildProcess, name: "stdout" | "stderr"): () => string {
  let text = "";
  child[name]?.setEncoding("utf8").on("data", (piece: string) => {
    text = (text + piece).slice(-outputCharactersMax);
  });
  return () => text;
}
