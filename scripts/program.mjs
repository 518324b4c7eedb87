/** Runs one of the repository's own programs under the pinned Node, with the browser that this machine has, if any. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, InstallError, pinnedEnvironment, pinnedNode, root } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";

/**
 * Ends this process with the program's exit code.
 * @param {string} program its path in the repository
 */
export function runProgram(program) {
  try {
    ensureInstalled();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  const { chromium } = findRequirements(["chromium"]);
  const parameters = ["--disable-warning=ExperimentalWarning", join(root, program), ...process.argv.slice(2)];
  const { status } = spawnSync(pinnedNode(), parameters, {
    env: { ...pinnedEnvironment(), E2E_CHROMIUM: chromium ?? "" },
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}
