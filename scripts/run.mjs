/**
 * Runs the tools of the repository under the pinned Node, and counts what Vitest ran.
 *
 * A step is one child process; its output goes where ours goes, so that a person sees it as it comes. The
 * counts come from Vitest's JSON report, never from reading its words. It deliberately retries nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pinnedEnvironment, pinnedNode, root } from "./install.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @returns {Counts} */
export const noCounts = () => ({ passed: 0, failed: 0, skipped: 0 });

/**
 * @param {Counts} a
 * @param {Counts} b
 * @returns {Counts}
 */
export const sum = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/**
 * One tool, as one counted step: passed when it exits 0.
 * @param {string} name what a person calls the step
 * @param {readonly string[]} command the tool's JavaScript file and its arguments
 * @param {number} msMax
 * @returns {Counts}
 */
export function runTool(name, command, msMax) {
  const started = Date.now();
  const result = spawnSync(pinnedNode(), command, {
    cwd: root,
    env: pinnedEnvironment(),
    stdio: ["ignore", "inherit", "inherit"],
    timeout: msMax,
  });
  const good = result.status === 0;
  process.stdout.write(
    `${good ? "✓" : "✗"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)${why(result, msMax)}\n`,
  );
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 };
}

/**
 * Vitest over some projects.
 * @param {string} name
 * @param {readonly string[]} parameters projects, filters, exclusions
 * @param {number} msMax
 * @param {Readonly<Record<string, string>>} [environment] besides the usual one
 * @returns {Counts}
 */
export function runVitest(name, parameters, msMax, environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-report-"));
  const report = join(folder, "report.json");
  try {
    process.stdout.write(`\n${name}\n`);
    const result = spawnSync(
      pinnedNode(),
      [
        join("node_modules", "vitest", "vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        ...parameters,
      ],
      {
        cwd: root,
        env: { ...pinnedEnvironment(), ...environment },
        stdio: ["ignore", "inherit", "inherit"],
        timeout: msMax,
      },
    );
    const counts = countsOf(report);
    const good = result.status === 0;
    // A file that cannot be read, an unhandled error or a timeout has no failed test of its own, yet it failed.
    const failed = good ? counts.failed : Math.max(counts.failed, 1);
    process.stdout.write(`${good ? "✓" : "✗"} ${name}${why(result, msMax)}\n`);
    return { ...counts, failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} report path of Vitest's JSON report
 * @returns {Counts} zeros where there is none: Vitest did not get so far
 */
function countsOf(report) {
  let text;
  try {
    text = readFileSync(report, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return noCounts();
    throw error;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(text);
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + (numTodoTests ?? 0) };
}

/** Why a child ended, where that is not its exit code alone. */
function why(result, msMax) {
  if (result.error?.code === "ETIMEDOUT") return `: ended after its limit of ${msMax / 1000} s`;
  if (result.error) return `: ${result.error.message}`;
  return result.signal === null ? "" : `: ended by ${result.signal}`;
}
