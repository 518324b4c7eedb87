/**
 * Makes a fresh clone runnable: the packages of the lockfile, and the Node that they pin.
 *
 * Every other script imports this one first, so it runs on whatever Node ≥ 20 the machine has, before
 * anything is installed, and uses nothing but Node itself. Life cycle: one look at a hash; only when it
 * differs, one `npm ci`, however many ask at once. Invariant: after `ensureInstalled` returns, `node_modules` is what the lockfile
 * says. All its words go to standard error, since standard output belongs to the program that asked.
 * It deliberately installs nothing on the system: that is `requirements.mjs`, for tests only.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const lookEveryMs = 100;
const installMsMax = 10 * 60_000;
const nodeMajorMin = 24;
const exitCannotStart = 2;

/** The repository's folder. */
export const root = realpathSync(fileURLToPath(new URL("..", import.meta.url)));

const modules = join(root, "node_modules");
const lockFile = join(root, ".install.lock");
const hashFile = join(modules, ".holdfast-lock-hash");

/** What the person must do, in one sentence; {@link runScript} prints it and exits 2. */
export class ScriptError extends Error {
  name = "ScriptError";
}

/**
 * Installs what is missing, then does the script's work.
 * @param {() => unknown} work may be asynchronous
 */
export async function runScript(work) {
  try {
    ensureInstalled();
    await work();
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCannotStart);
  }
}

/**
 * Runs `npm ci` when `node_modules` is missing or of another lockfile; otherwise only reads two files.
 * @returns {boolean} whether something was installed
 * @throws {ScriptError} when npm is missing or fails
 */
export function ensureInstalled() {
  if (isInstalled()) return false;
  return alone(() => {
    // Another start may have done it while this one waited.
    if (isInstalled()) return false;
    install();
    return true;
  });
}

function isInstalled() {
  return existsSync(hashFile) && readFileSync(hashFile, "utf8").trim() === lockHash();
}

function install() {
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
    throw new ScriptError("`npm` was not found on the PATH: install Node.js 24 with npm, then run this again.");
  }
  if (result.error?.code === "ETIMEDOUT") {
    throw new ScriptError(
      `\`npm ci\` took longer than ${installMsMax / 60_000} minutes in ${root}: check the network, then run this again.`,
    );
  }
  if (result.status !== 0) {
    throw new ScriptError(
      `\`npm ci\` failed in ${root} (exit ${result.status ?? result.signal}): what it says above names the cause; remove node_modules and run this again.`,
    );
  }
  writeFileSync(hashFile, `${lockHash()}\n`);
}

/**
 * Two installs at once would each remove what the other unpacks: the second waits for the first. The lock is a
 * file that names its process, so that one left by a process that died is seen as what it is.
 */
function alone(work) {
  const end = Date.now() + installMsMax;
  while (!take()) {
    if (Date.now() > end) {
      throw new ScriptError(
        `Another installation holds ${lockFile}: wait for it, or remove that file, then run this again.`,
      );
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookEveryMs);
  }
  try {
    return work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function take() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    process.kill(Number(readFileSync(lockFile, "utf8")), 0);
  } catch (error) {
    // Gone between the two looks, or its process is: the next look decides.
    if (error.code === "ESRCH") rmSync(lockFile, { force: true });
  }
  return false;
}

/**
 * The Node that runs everything: the pinned one of the lockfile, else the machine's own if it is new enough.
 * @returns {string} the path of the executable
 * @throws {ScriptError} when there is none
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
  throw new ScriptError(
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
