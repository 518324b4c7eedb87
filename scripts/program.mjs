/** Runs one of the repository's own programs under the pinned Node. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pinnedEnvironment, pinnedNode, root, runScript } from "./install.mjs";
import { ensurePage } from "./page.mjs";
import { findRequirements } from "./requirements.mjs";

/**
 * Ends this process with the program's exit code.
 * @param {string} program its path in the repository
 * @param {{ takesBrowser?: boolean }} [options] whether it is told which browser this machine has, if any
 */
export async function runProgram(program, { takesBrowser = false } = {}) {
  await runScript(async () => {
    const browser = takesBrowser ? { E2E_CHROMIUM: findRequirements(["chromium"]).chromium ?? "" } : {};
    if (takesBrowser) await ensurePage();
    const parameters = ["--disable-warning=ExperimentalWarning", join(root, program), ...process.argv.slice(2)];
    const { status } = spawnSync(pinnedNode(), parameters, {
      env: { ...pinnedEnvironment(), ...browser },
      stdio: "inherit",
    });
    process.exit(status ?? 1);
  });
}
