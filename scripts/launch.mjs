/**
 * Runs a `holdfast` command of this clone on the pinned Node, whatever Node the machine has.
 *
 * Where this process already is the pinned Node, the command runs in it, so that a SIGKILL of it is a SIGKILL
 * of the server; else this same file runs in a child of the pinned Node, which gets our signals and gives its
 * exit code. Invariant: the command never outlives who started it: when the parent (npm, a launcher) is gone,
 * however it died, the command ends as with SIGTERM. Runs on any Node ≥ 20 and uses nothing but Node itself.
 */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pinnedNode } from "./install.mjs";

const parentLookMs = 500;
const self = fileURLToPath(import.meta.url);

/** @param {readonly string[]} argv command and flags */
export async function launch(argv) {
  endWithParent(process.ppid);
  const node = pinnedNode();
  if (realpathSync(node) !== realpathSync(process.execPath)) return runInChild(node, argv);
  const { runProcess } = await import("../packages/holdfast/src/process.ts");
  await runProcess(argv);
}

/**
 * @param {string} node
 * @param {readonly string[]} argv
 */
function runInChild(node, argv) {
  const child = spawn(node, [self, ...argv], { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT"])) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    process.stderr.write(`${node} could not be started (${error.message}): remove node_modules and run this again.\n`);
    process.exit(2);
  });
  child.once("exit", (code, signal) => {
    if (code === null) process.stderr.write(`The server was ended by ${signal}.\n`);
    process.exit(code ?? 1);
  });
}

/**
 * A parent that dies leaves its children to another one: that is all that a child can see of it.
 * @param {number} parent
 */
function endWithParent(parent) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, parentLookMs);
  timer.unref();
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(self))
  await launch(process.argv.slice(2));
