/**
 * A stand-in for `holdfast agent`: takes the same lock, says that it runs, and ends as it is told to.
 *
 * Its first argument is how it behaves: `good`, `deaf` (ignores SIGTERM), `refused` (exits 3 at once unless
 * its key is "second"), `crash` (exits 1 at once). The rest are the arguments that the real one would get.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lockProcess } from "../../src/files/processLock.ts";

const [behaviour = "good", version = "1", ...rest] = process.argv.slice(2);
const folder = rest[rest.indexOf("--state") + 1] ?? "";

function key(): string | undefined {
  try {
    return readFileSync(join(folder, "key"), "utf8").trim();
  } catch {
    return undefined;
  }
}

// Before the lock says that it runs: a test may signal it at once.
let lock: ReturnType<typeof lockProcess> = null;
process.on("SIGTERM", () => {
  if (behaviour === "deaf") return;
  process.stdout.write("stopped politely\n");
  lock?.release();
  process.exit(0);
});

lock = lockProcess(folder, { pid: process.pid, version, key: key() !== undefined });
if (lock === null) {
  process.stdout.write("locked out\n");
  process.exit(2);
}
process.stdout.write(`running ${process.pid}\n`);
if (behaviour === "crash") process.exit(1);
if (behaviour === "refused" && key() !== "second") {
  lock.release();
  process.exit(3);
}
// Never longer than a test: one that fails leaves nothing behind.
setTimeout(() => process.exit(9), 60_000);
