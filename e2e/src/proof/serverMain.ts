/**
 * The real server in a process of its own, so that it can be killed: started by `server.ts`, with its settings
 * as one JSON argument.
 *
 * Whoever connects says who they are (`ada`, `ada/viewer`, `ada/operator/<end, ms since 1970>`), since the proof
 * is about the protocol and not about sign-in; `nobody` is refused, `hang` is never judged, `broken` throws.
 * `speed` makes the server's clock run faster than the world's, so that an end 30 s away passes within a test.
 */
import type { Clock } from "@holdfast/protocol";
import type { AdmissionLimits, ConnectionLimits, SignedIn, SignInRequest } from "@holdfast/server";
import { keepCompileCache, startCompileCache } from "../../../packages/holdfast/src/commandLine/compileCache.ts";

/** The settings, as JSON. */
export interface ProofSettings {
  readonly data: string;
  readonly port: number;
  readonly speed: number;
  readonly limits: Partial<ConnectionLimits>;
  readonly admission: Partial<AdmissionLimits>;
}

/** Asked on the channel: a key that enrols one agent. */
export interface KeyQuestion {
  readonly kind: "agentKey";
  readonly name: string;
}

/** Asked on the channel: what the process holds, after a collection. */
export interface StatusQuestion {
  readonly kind: "status";
}

export interface ProofStatus {
  /** Of the server's own clock. */
  readonly timers: number;
  /** What keeps the process's loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  readonly heapBytes: number;
  /** What the engine holds for its main thread's heap, used or not. */
  readonly heapTotalBytes: number;
  readonly rssBytes: number;
  /** Credentials that were judged in this life, that is openings that began, and the most in any second. */
  readonly judged: number;
  readonly judgedWorstSecond: number;
  /** Those of each second since the first. */
  readonly judgedEachSecond: readonly number[];
  /** Of all threads, user and system. */
  readonly cpuMs: number;
}

/** Said on the channel. */
export type ProofAnswer =
  | { readonly kind: "status"; readonly status: ProofStatus }
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "agentKey"; readonly name: string; readonly key: string };

const settings = JSON.parse(process.argv[2] ?? "{}") as ProofSettings;
const { speed } = settings;
const startedAt = Date.now();
const timers = new Set<unknown>();
/** Monotonic ms of this process. */
const judgedAt: number[] = [];
const clock: Clock = {
  now: () => Math.round(startedAt + (Date.now() - startedAt) * speed),
  monotonic: () => performance.now() * speed,
  after(ms, run) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms / speed);
    timers.add(timer);
    return timer;
  },
  cancel(handle) {
    timers.delete(handle);
    clearTimeout(handle as NodeJS.Timeout);
  },
};

function authenticate({ token }: SignInRequest): SignedIn | null | Promise<SignedIn | null> {
  judgedAt.push(performance.now());
  if (token === undefined || token === "nobody") return null;
  if (token === "hang") return new Promise(() => {});
  if (token === "broken") throw new TypeError("a verifier that is broken as asked");
  const [id = "", role = "operator", end] = token.split("/");
  return {
    id,
    role: role as NonNullable<SignedIn["role"]>,
    ...(end === undefined ? {} : { expiresAt: Number(end) }),
  };
}

function status(): ProofStatus {
  globalThis.gc?.();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const judged = judgedAt.length;
  return {
    timers: timers.size,
    resources,
    heapBytes: heapUsed + external,
    heapTotalBytes: heapTotal,
    rssBytes: rss,
    judged,
    judgedWorstSecond: worstSecond(judgedAt),
    judgedEachSecond: eachSecond(judgedAt),
    cpuMs: cpuMs(),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000);
}

/** How many of `times` (ms, ascending) fall into each second since the first. */
function eachSecond(times: readonly number[]): number[] {
  const [first = 0] = times;
  const seconds: number[] = [];
  for (const time of times) {
    const second = Math.floor((time - first) / 1_000);
    while (seconds.length <= second) seconds.push(0);
    seconds[second] = (seconds[second] ?? 0) + 1;
  }
  return seconds;
}

/** The most of `times` (ms, ascending) in any second, wherever it begins. */
function worstSecond(times: readonly number[]): number {
  let worst = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while ((times[first] ?? time) <= time - 1_000) first += 1;
    worst = Math.max(worst, index - first + 1);
  }
  return worst;
}

const say = (answer: ProofAnswer): void => void process.send?.(answer);

// As `holdfast serve` does, since how long nobody listens is part of what is proven.
startCompileCache({ workers: true });
const { createServer } = await import("@holdfast/server");
const server = await createServer({
  app: new URL("app.ts", import.meta.url),
  data: settings.data,
  port: settings.port,
  limits: settings.limits,
  admission: settings.admission,
  authenticate,
  clock,
  version: "proof",
});
process.on("message", (question: KeyQuestion | StatusQuestion) => {
  if (question.kind === "status") say({ kind: "status", status: status() });
  else void server.agentKey(question.name).then((key) => say({ kind: "agentKey", name: question.name, key }));
});
// Whoever started it is gone, in whatever way.
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
say({ kind: "ready", url: server.url });
keepCompileCache();
