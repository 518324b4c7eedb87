/**
 * Loaded into a server by `--import`, in its main thread and its workers: says what is in use, after a collection.
 *
 * From outside a process one sees only what it has taken from the system, which grows as long as nothing asks for it
 * back. Each isolate writes a line every ten seconds to the file of `HEAP_PROBE_FILE`. It changes nothing else.
 */
import { appendFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { threadId } from "node:worker_threads";

const everyMs = 10_000;

/** One line. Bytes. */
export interface HeapLine {
  readonly thread: number;
  readonly inUse: number;
  readonly resident: number;
}

const file = process.env["HEAP_PROBE_FILE"];
if (file !== undefined) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setInterval(() => {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    const line: HeapLine = { thread: threadId, inUse: heapUsed + external, resident: rss };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }, everyMs).unref();
}
