/**
 * Makes a fresh clone runnable: the packages of the lockfile, and the Node that they pin.
 *
 * Every other script imports this one first, so it runs on whatever Node ≥ 20 the machine has, before
 * anything is installed, and uses nothing but Node itself. Life cycle: one look at a hash; only when it
 * differs, one `npm ci`. Invariant: after `ensureInstalled` returns, `node_modules` is what the lockfile
 * says. All its words go to standard error, since standard output belongs to the program that asked.
 * It deliberately installs nothing on the system: that is `requirements.mjs`, for tests only.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const installMsMax = 10 * 60_000;
const nodeMajorMin = 24;

/** The repository's folder. */
export const root = realpathSync(fileURLToPath(new URL("..", import.meta.url)));

const modules = join(root, "node_modules");
const hashFile = join(modules, ".holdfast-lock-hash");

/** What the person must do, in one sentence; the script that catches it prints it and exits 2. */
export class InstallError extends Error {
  name = "InstallError";
}

/**
 * Runs `npm ci` when `node_modules` is missing or of another lockfile; otherwise only reads two files.
 * @returns {boolean} whether something was installed
 * @throws {InstallError} when npm is missing or fails
 */
export function ensureInstalled() {
  const wanted = lockHash();
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8").trim() === wanted) return false;
  process.stderr.write("Installing the packages of package-lock.json (npm ci) …\n");
  const env = { ...process.env, PATH: pathWithoutOwnBin() };
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    env,
    // npm's own words go where ours go: file descriptor 2.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
    timeout: installMsMax,
  });
  if (result.error?.code === "ENOENT") {
    throw new InstallError("`npm` was not found on the PATH: install Node.js 24 with npm, then run this again.");
  }
  if (result.error?.code === "ETIMEDOUT") {
    throw new InstallError(
      `\`npm ci\` took longer than ${installMsMax / 60_000} minutes in ${root}: check the network, then run this again.`,
    );
  }
  if (result.status !== 0) {
    throw new InstallError(
      `\`npm ci\` failed in ${root} (exit ${result.status ?? result.signal}): what it says above names the cause; remove node_modules and run this again.`,
    );
  }
  writeFileSync(hashFile, `${wanted}\n`);
  return true;
}

/**
 * The Node that runs everything: the pinned one of the lockfile, else the machine's own if it is new enough.
 * @returns {string} the path of the executable
 * @throws {InstallError} when there is none
 */
export function pinnedNode() {
  const windows = process.platform === "win32";
  const own = join(
    modules,
    `node-${windows ? "win" : process.platform}-${process.arch}`,
    "bin",
    `node${windows ? ".exe" : ""}`,
  );
  if (existsSync(own)) return own;
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) return process.execPath;
  throw new InstallError(
    `Node.js ${process.versions.node} is too old and there is no pinned one for ${process.platform}-${process.arch}: install Node.js ${nodeMajorMin}, then run this again.`,
  );
}

/** The environment for a child that should find the pinned Node and the packages' commands first. */
export function pinnedEnvironment() {
  const own = join(modules, ".bin");
  return { ...process.env, PATH: [join(pinnedNode(), ".."), own, pathWithoutOwnBin()].join(delimiter) };
}

function lockHash() {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  return hash.update(`${process.platform}-${process.arch}`).digest("hex");
}

/** `npm ci` removes `node_modules`, so it must not run on the Node that lies in there. */
function pathWithoutOwnBin() {
  const entries = (process.env.PATH ?? "").split(delimiter);
  return entries.filter((entry) => !entry.split(sep).includes("node_modules")).join(delimiter);
}
