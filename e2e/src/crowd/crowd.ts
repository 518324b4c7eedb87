/**
 * A crowd of production clients, some thousands in each process (`crowdMain.ts`).
 *
 * Life cycle: started (all come at once) → marked and asked, as often as one likes → ended. Its figures are those of
 * all its processes together.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { markedEnvironment } from "../processes.ts";
import type { CrowdQuestion, CrowdSettings, CrowdStatus } from "./crowdMain.ts";

/** Of a process: below what most systems let one open. */
const clientsPerProcessMax = 5_000;
const answerMsMax = 30_000;
const heapMebibytesMax = 1_500;

export interface Crowd extends AsyncDisposable {
  /** From now on it counts who is lost and who returns. */
  mark(): Promise<CrowdStatus>;
  status(): Promise<CrowdStatus>;
}

export function startCrowd(url: string, stream: string, clients: number): Crowd {
  const processes: ChildProcess[] = [];
  for (let first = 0; first < clients; first += clientsPerProcessMax) {
    const settings: CrowdSettings = {
      url: `${url.replace(/^http/, "ws")}/ws`,
      stream,
      clients: Math.min(clientsPerProcessMax, clients - first),
      first,
    };
    processes.push(
      fork(fileURLToPath(new URL("crowdMain.ts", import.meta.url)), [JSON.stringify(settings)], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: markedEnvironment(),
        execArgv: [...process.execArgv, `--max-old-space-size=${heapMebibytesMax}`],
      }),
    );
  }
  const askAll = async (question: CrowdQuestion): Promise<CrowdStatus> =>
    (await Promise.all(processes.map((one) => ask(one, question)))).reduce(together);
  return {
    mark: () => askAll("mark"),
    status: () => askAll("status"),
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map(end));
    },
  };
}

/** One question at a time: the answer is the next thing that it says. */
function ask(child: ChildProcess, question: CrowdQuestion): Promise<CrowdStatus> {
  return new Promise((resolve, reject) => {
    const settle = (answer: unknown): void => {
      clearTimeout(timer);
      child.off("message", settle);
      child.off("exit", gone);
      if (answer instanceof Error) reject(answer);
      else resolve(answer as CrowdStatus);
    };
    const gone = (): void => settle(new Error(`a crowd ended before it answered "${question}"`));
    const timer = setTimeout(() => settle(new Error(`no "${question}" within ${answerMsMax} ms`)), answerMsMax);
    child.on("message", settle);
    child.on("exit", gone);
    child.send(question);
  });
}

function together(one: CrowdStatus, other: CrowdStatus): CrowdStatus {
  const most = Math.max(one.appliedMax, other.appliedMax);
  return {
    live: one.live + other.live,
    lost: one.lost + other.lost,
    returned: one.returned + other.returned,
    lastReturnedAt: Math.max(one.lastReturnedAt, other.lastReturnedAt),
    appliedMin: Math.min(one.appliedMin, other.appliedMin),
    appliedMax: most,
    folds: [...new Set([one, other].flatMap(({ appliedMax, folds }) => (appliedMax === most ? folds : [])))],
    faults: [...one.faults, ...other.faults],
    attempts: one.attempts + other.attempts,
    cpuMs: one.cpuMs + other.cpuMs,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGKILL");
  await exited;
}
