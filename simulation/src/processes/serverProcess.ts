/**
 * The product's server as people run it: `holdfast serve` on a data folder and a fixed port, which may be killed and
 * started again, stopped in mid-breath, or asked to end.
 *
 * Its agents are elsewhere: none of this machine is started by it. Its log is handed on line by line, parsed.
 */
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, end, startNode } from "./child.ts";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));
export const commandLine = commandLineOf(repository);

const readyMsMax = 60_000;
const saidLinesMax = 20;
/** CL-9 gives it 10 s. */
const endMsMax = 15_000;

export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly isUp: boolean;
  /** Resolves when it listens. Rejects with what it said where it ends before. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** CL-9. Rejects with what it said last where it does not end well. */
  drain(): Promise<void>;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

export interface ServerSettings {
  readonly data: string;
  readonly port: number;
  /** `local` where absent. */
  readonly mode?: "local" | "development";
  /** Where the program's sources are; this repository where absent. */
  readonly program?: string;
  /** `HOLDFAST_…` variables, and others of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Hears each line of its log, as JSON gave it. */
  readonly onLog: (line: Readonly<Record<string, unknown>>) => void;
  /** Hears what it wrote to standard error that was no line of its log. */
  readonly onStray: (line: string) => void;
}

export function makeServerProcess(settings: ServerSettings): ServerProcess {
  const { data, port, mode = "local", program = repository } = settings;
  let child: Child | undefined;
  let said: string[] = [];
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    get pid() {
      return child?.pid ?? 0;
    },
    get isUp() {
      return child !== undefined && child.ended === undefined;
    },
    async start() {
      said = [];
      let ready = (): void => {};
      const listening = new Promise<void>((done) => {
        ready = done;
      });
      const started = startNode({
        parameters: [commandLineOf(program), "serve", "--mode", mode, "--port", String(port), "--data", data],
        directory: program,
        environment: {
          HOLDFAST_AGENTS_SHELL: "false",
          HOLDFAST_AGENTS_DEMO: "false",
          HOLDFAST_AGENTS_ASSISTANTS: "false",
          HOLDFAST_LOG_FORMAT: "json",
          ...settings.environment,
        },
        onOutput(line) {
          if (line.startsWith("ready ")) ready();
        },
        onErrors(line) {
          said = [...said.slice(-saidLinesMax), line];
          hearLog(line, settings);
        },
      });
      child = started;
      const timer = setTimeout(() => started.signal("SIGKILL"), readyMsMax);
      const first = await Promise.race([listening.then(() => "ready" as const), started.gone]);
      clearTimeout(timer);
      if (first !== "ready") throw new Error(`the server ended before it was ready:\n${said.join("\n")}`);
    },
    async kill() {
      child?.signal("SIGKILL");
      await child?.gone;
    },
    async drain() {
      if (child === undefined) return;
      const { code, signal } = await end(child, endMsMax);
      if (code !== 0) throw new Error(`asked to end, the server ended with ${code ?? signal}:\n${said.join("\n")}`);
    },
    signal: (name) => child?.signal(name),
  };
}

function commandLineOf(folder: string): string {
  return join(folder, "packages", "holdfast", "src", "main.ts");
}

/** A port of loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", done);
  });
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  if (address === null || typeof address === "string") throw new Error(`no port: ${String(address)}`);
  return address.port;
}

function hearLog(line: string, { onLog, onStray }: ServerSettings): void {
  if (line.trim() === "") return;
  try {
    onLog(JSON.parse(line) as Readonly<Record<string, unknown>>);
  } catch {
    onStray(line);
  }
}
