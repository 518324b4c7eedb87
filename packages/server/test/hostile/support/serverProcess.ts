/**
 * The real server in a process of its own, so that what would end the process ends only this one.
 *
 * Started by `victim.ts`. Its log goes to standard error as in production; on the channel it says `ready`, and
 * answers `status` after a collection. It deliberately catches nothing: an uncaught error must end it.
 * `HOSTILE_SPEED` makes its monotonic clock run faster, so that deadlines of 30 s pass within a test.
 */
import type { Clock } from "@holdfast/protocol";
import { createServer } from "../../../src/index.ts";
import { createLog } from "../../../src/observe/pinoLog.ts";

/** What it says on the channel. */
export type VictimMessage =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "status"; readonly rssBytes: number; readonly heapBytes: number; readonly polluted: boolean };

const speed = Number(process.env["HOSTILE_SPEED"] ?? "1");
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * speed,
  after: (ms, run) => setTimeout(run, ms / speed),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
const say = (message: VictimMessage): void => void process.send?.(message);

const server = await createServer({
  app: new URL("./hostileApp.ts", import.meta.url),
  mode: process.env["HOSTILE_MODE"] === "local" ? "local" : "development",
  host: "127.0.0.1",
  port: 0,
  data: process.env["HOSTILE_DATA"] ?? "",
  origins: [],
  version: "test",
  log: createLog({ level: "info", stream: process.stderr }),
  clock,
});

process.on("message", (message) => {
  if (message === "stop") void server.close().then(() => process.disconnect());
  if (message !== "status") return;
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const polluted = "polluted" in {} || Object.keys(Object.prototype).length > 0;
  say({ kind: "status", rssBytes: rss, heapBytes: heapUsed + external, polluted });
});
say({ kind: "ready", url: server.url });
