/** Starts the server of `serverProcess.ts`, keeps its log, and proves at the end that it is still whole. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { VictimMessage } from "./serverProcess.ts";

/** Of each thread: a collector with room collects late, and what it left would look like a leak. */
const heapMebibytesMax = 96;
const stopMsMax = 12_000;
/** Of the log, for a test to look at. Far above what any test may cause. */
const logBytesMax = 64 * 1024 * 1024;

export interface Victim extends AsyncDisposable {
  readonly port: number;
  readonly log: () => string;
  readonly lines: () => number;
  status(): Promise<Extract<VictimMessage, { kind: "status" }>>;
  /** It runs, and its prototypes are clean. */
  assertWhole(): Promise<void>;
}

export async function startVictim(options: { speed?: number; mode?: "local" | "development" } = {}): Promise<Victim> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-hostile-"));
  const child = fork(new URL("./serverProcess.ts", import.meta.url), [], {
    execArgv: ["--expose-gc", `--max-old-space-size=${heapMebibytesMax}`, "--max-semi-space-size=2"],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    env: {
      ...process.env,
      NODE_ENV: "test",
      HOSTILE_DATA: data,
      HOSTILE_SPEED: String(options.speed ?? 1),
      HOSTILE_MODE: options.mode ?? "development",
    },
  });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (log.length < logBytesMax) log += text;
  });
  const { url } = await hear(child, "ready", () => log);
  const status: Victim["status"] = () => {
    child.send("status");
    return hear(child, "status", () => log);
  };
  return {
    port: Number(new URL(url).port),
    log: () => log,
    lines: () => log.split("\n").length - 1,
    status,
    async assertWhole() {
      expect(child.exitCode ?? child.signalCode, log.slice(-4_000)).toBeNull();
      expect((await status()).polluted).toBe(false);
    },
    async [Symbol.asyncDispose]() {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function hear<Kind extends VictimMessage["kind"]>(
  child: ChildProcess,
  kind: Kind,
  log: () => string,
): Promise<Extract<VictimMessage, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      child.off("message", heard);
      reject(
        new Error(`the server ended (${child.exitCode ?? child.signalCode}) before "${kind}":\n${log().slice(-4_000)}`),
      );
    };
    const heard = (message: unknown): void => {
      if ((message as VictimMessage).kind !== kind) return;
      child.off("message", heard);
      child.off("exit", gone);
      resolve(message as never);
    };
    if (child.exitCode !== null || child.signalCode !== null) return gone();
    child.on("message", heard);
    child.once("exit", gone);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.send("stop");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  await exited;
  clearTimeout(timer);
}
