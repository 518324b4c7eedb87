/** Runs one of the repository's own programs under the pinned Node. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pinnedEnvironment, pinnedNode, root, runScript } from "./install.mjs";
import { ensurePage } from "./page.mjs";
import { findRequirements } from "./requirements.mjs";

/**
 * Ends this process with the program's exit code.
 * @param {string} program its path in the repository
 * @param {{ takesBrowser?: boolean, takesPostgres?: boolean }} [options] whether it is told which browser, and which
 *   PostgreSQL, this machine has, if any
 */
export async function runProgram(program, { takesBrowser = false, takesPostgres = false } = {}) {
  await runScript(async () => {
    const browser = takesBrowser ? { E2E_CHROMIUM: findRequirements(["chromium"]).chromium ?? "" } : {};
    if (takesBrowser) await ensurePage();
    const database = takesPostgres ? { E2E_POSTGRES: findRequirements(["postgres"]).postgres ?? "" } : {};
    const parameters = ["--disable-warning=ExperimentalWarning", join(root, program), ...process.argv.slice(2)];
    const { status } = spawnSync(pinnedNode(), parameters, {
      env: { ...pinnedEnvironment(), ...browser, ...database },
      stdio: "inherit",
    });
    process.exit(status ?? 1);
  });
}
