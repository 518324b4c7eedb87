/**
 * `npm run check`: the whole gate that needs no running product.
 *
 * Format, lint, types, dead code, and tidy (the repository's own rules, import direction among them). All
 * steps run, also after one has failed, so that one look shows everything. Green here is green in CI.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runScript } from "./install.mjs";
import { noCounts, runTool, runVitest, sum } from "./run.mjs";

const stepMsMax = 5 * 60_000;

const tools = [
  { name: "format and lint", command: [tool("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "."] },
  { name: "types", command: [tool("typescript", "bin/tsc"), "--project", "."] },
  { name: "dead code", command: [tool("knip", "bin/knip.js")] },
];

/** Runs every step. @returns {import("./run.mjs").Counts} */
export function check() {
  const counts = tools.map(({ name, command }) => runTool(name, command, stepMsMax)).reduce(sum, noCounts());
  return sum(counts, runVitest("tidy", ["--project=tidy"], stepMsMax));
}

function tool(name, file) {
  return join("node_modules", name, file);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runScript(() => {
    process.exitCode = check().failed === 0 ? 0 : 1;
  });
}
