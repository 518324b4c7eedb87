/**
 * A writer's process as the proofs hold it: its lines as they come, and ways to end it.
 *
 * Life cycle: started → says that it opened → batches → stopped (nothing more comes) or killed → ended. Invariant:
 * every line that it wrote is heard, also those that were still under way when it was killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type History, hear, type Said } from "./history.ts";
import type { WriterSettings } from "./writerMain.ts";

const writerFile = fileURLToPath(new URL("./writerMain.ts", import.meta.url));
const openMsMax = 60_000;

export interface Writer {
  /** Resolves after so many batches more were begun. Rejects where the process ends before. */
  begun(count: number): Promise<void>;
  /** The same for acknowledgements. */
  acknowledged(count: number): Promise<void>;
  /** The same for refusals. */
  refused(count: number): Promise<void>;
  /** Resolves once it has ended and everything that it said was heard. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
  /** To the process, and to what it runs under. */
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
}

export interface WriterStart extends WriterSettings {
  /** Put before the program: a tracer, for example. */
  readonly under?: readonly string[];
  /** Node's own flags. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export function startWriter(history: History, start: WriterStart): Writer {
  const { under = [], flags = [], environment = {}, ...settings } = start;
  const [program = "", ...parameters] = [
    ...under,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    ...flags,
    writerFile,
    JSON.stringify(settings),
  ];
  const child = spawn(program, parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: a tracer that is killed leaves what it traced behind.
    detached: true,
    env: { ...process.env, ...environment },
  });
  const waiting = new Set<{ readonly kind: Said["kind"]; left: number; readonly done: () => void }>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const said = JSON.parse(text) as Said;
    hear(history, said);
    for (const waiter of waiting) {
      if (waiter.kind !== said.kind) continue;
      waiter.left -= 1;
      if (waiter.left > 0) continue;
      waiting.delete(waiter);
      waiter.done();
    }
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = new Promise<{ code: number | null; errors: string }>((done) => {
    child.once("close", (code) => done({ code, errors }));
  });
  const hears = (kind: Said["kind"], count: number): Promise<void> =>
    new Promise((done, fail) => {
      const late = setTimeout(
        () => fail(new Error(`no ${count} × "${kind}" in ${openMsMax} ms: ${errors}`)),
        openMsMax,
      );
      const settle = (): void => clearTimeout(late);
      waiting.add({
        kind,
        left: count,
        done: () => {
          settle();
          done();
        },
      });
      void ended.then(({ code }) => {
        settle();
        fail(new Error(`the writer ended with code ${code}: ${errors}`));
      });
    });
  return {
    begun: (count) => hears("begun", count),
    acknowledged: (count) => hears("done", count),
    refused: (count) => hears("refused", count),
    ended,
    signal: (name) => signal(child, name),
    async kill() {
      signal(child, "SIGKILL");
      await ended;
    },
  };
}

function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}
