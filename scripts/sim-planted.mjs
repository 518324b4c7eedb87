/** `npm run sim:planted`: bugs on purpose, which the simulation must catch, under the pinned Node. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, InstallError, pinnedEnvironment, pinnedNode, root } from "./install.mjs";

try {
  ensureInstalled();
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
const parameters = [
  "--disable-warning=ExperimentalWarning",
  join(root, "simulation", "src", "planted", "plantedMain.ts"),
];
const { status } = spawnSync(pinnedNode(), [...parameters, ...process.argv.slice(2)], {
  env: pinnedEnvironment(),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
