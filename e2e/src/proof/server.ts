/**
 * Starts the server of `serverMain.ts`, kills it as a power cut would, and starts it again on the same folder.
 *
 * Life cycle: started → (killed → started again, on a new port) … → stopped. Invariant: what it logged is kept
 * over all its lives, so that a test may ask it for errors.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { markedEnvironment } from "../processes.ts";
import { waitFor } from "../waiting.ts";
import type { KeyQuestion, ProofAnswer, ProofSettings, ProofStatus, StatusQuestion } from "./serverMain.ts";

const answerMsMax = 60_000;
const logCharactersMax = 10_000_000;
const logShownCharactersMax = 4_000;

export interface ProofServer extends AsyncDisposable {
  /** Of the life that it lives now. */
  readonly url: string;
  readonly port: number;
  /** One JSON line a record, of all its lives. */
  log(): string;
  /** A key with which one agent may enrol. */
  agentKey(name: string): Promise<string>;
  /** What its process holds, after a collection. */
  status(): Promise<ProofStatus>;
  /** SIGKILL, then a start on the same folder; on another port where none is given. */
  killAndRestart(port?: number): Promise<void>;
}

export async function startProofServer(
  settings: Partial<Pick<ProofSettings, "speed" | "limits" | "admission">> = {},
): Promise<ProofServer> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-proof-"));
  let log = "";
  const start = async (port: number): Promise<{ child: ChildProcess; url: string }> => {
    const all: ProofSettings = { speed: 1, limits: {}, admission: {}, ...settings, data, port };
    const child = fork(fileURLToPath(new URL("serverMain.ts", import.meta.url)), [JSON.stringify(all)], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      env: markedEnvironment(),
      // For `status`: what is no longer needed does not count.
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (log.length < logCharactersMax) log += text;
    });
    const { url } = await hear(child, "ready", () => log);
    return { child, url };
  };
  let life = await start(0);
  return {
    get url() {
      return life.url;
    },
    get port() {
      return Number(new URL(life.url).port);
    },
    log: () => log,
    async agentKey(name) {
      const { child } = life;
      child.send({ kind: "agentKey", name } satisfies KeyQuestion);
      return (await hear(child, "agentKey", () => log)).key;
    },
    async status() {
      life.child.send({ kind: "status" } satisfies StatusQuestion);
      return (await hear(life.child, "status", () => log)).status;
    },
    async killAndRestart(port = 0) {
      await end(life.child, "SIGKILL");
      life = await start(port);
    },
    async [Symbol.asyncDispose]() {
      await end(life.child, "SIGTERM");
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function hear<Kind extends ProofAnswer["kind"]>(
  child: ChildProcess,
  kind: Kind,
  log: () => string,
): Promise<Extract<ProofAnswer, { kind: Kind }>> {
  let heard: Extract<ProofAnswer, { kind: Kind }> | undefined;
  const listen = (answer: unknown): void => {
    if ((answer as ProofAnswer).kind === kind) heard = answer as Extract<ProofAnswer, { kind: Kind }>;
  };
  child.on("message", listen);
  try {
    return await waitFor(
      () => {
        if (heard === undefined && (child.exitCode !== null || child.signalCode !== null))
          throw new Error(`the server ended before "${kind}":\n${log().slice(-logShownCharactersMax)}`);
        return heard;
      },
      { msMax: answerMsMax, what: `the server's "${kind}"` },
    );
  } finally {
    child.off("message", listen);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), answerMsMax);
  await exited;
  clearTimeout(timer);
}
