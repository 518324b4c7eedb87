/**
 * Builds the page when its sources have changed since the last build, and only then.
 *
 * Life cycle: one hash over what the page is made of, compared with a stamp beside the built files; where they
 * differ, one `vite build` beside the old one, the stamp, and the two change places. Invariants: a build that
 * was cut off is done again; what is served is always a whole page. Vite's words go to standard error. It deliberately watches nothing: that is Vite's own mode.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinnedNode, root, ScriptError } from "./install.mjs";

const page = join(root, "packages", "dashboard");
const stampName = ".stamp";
const built = join(page, "dist");
const stampFile = join(built, stampName);
/** Where it is built, beside; and where the former one goes while it is replaced. */
const fresh = join(page, `dist.new.${process.pid}`);
const old = join(page, `dist.old.${process.pid}`);
/** Another start may be changing the same places. */
const replaceTriesMax = 5;

/** All that the built page depends on, how it is built among it, relative to the repository. Tests do not count. */
const sources = [
  "scripts/page.mjs",
  "packages/dashboard/src",
  "packages/dashboard/public",
  "packages/dashboard/index.html",
  "packages/dashboard/vite.config.ts",
  "packages/dashboard/package.json",
  "packages/client/src",
  "packages/react/src",
  "packages/protocol/src",
  "packages/control/contract",
  "package-lock.json",
];

/**
 * @returns {Promise<boolean>} whether it was built now
 * @throws {ScriptError} when Vite fails
 */
export async function ensurePage() {
  const wanted = sourceHash();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return false;
  process.stderr.write("Building the page (vite build) …\n");
  const child = spawn(
    pinnedNode(),
    [join(root, "node_modules", "vite", "bin", "vite.js"), "build", "--outDir", fresh, "--emptyOutDir"],
    {
      cwd: page,
      // Whoever asks may be a test: what is built is for people all the same.
      env: { ...process.env, NODE_ENV: "production" },
      // Vite's own words go where ours go: file descriptor 2.
      stdio: ["ignore", 2, 2],
    },
  );
  const end = () => child.kill("SIGTERM");
  process.on("exit", end);
  const code = await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("exit", (exitCode, signal) => done(exitCode ?? signal));
  });
  process.off("exit", end);
  if (code !== 0) {
    throw new ScriptError(
      `Building the page failed in ${page} (exit ${code}): what Vite says above names the cause; correct it, then run this again.`,
    );
  }
  writeFileSync(join(fresh, stampName), wanted);
  replaceBuilt();
  return true;
}

/**
 * A server that runs meanwhile serves the old page or the new one, never half of one. Of two starts that build
 * at once each builds its own; whichever changes places last is served.
 */
function replaceBuilt() {
  for (let tries = 1; ; tries += 1) {
    try {
      if (existsSync(built)) renameSync(built, old);
      renameSync(fresh, built);
      break;
    } catch (error) {
      const isRace =
        error instanceof Error && "code" in error && /^(ENOENT|ENOTEMPTY|EEXIST)$/.test(String(error.code));
      if (!isRace || tries === replaceTriesMax) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

function sourceHash() {
  const hash = createHash("sha256");
  for (const source of sources) {
    const path = join(root, source);
    if (existsSync(path)) addTo(hash, path, source);
  }
  return hash.digest("hex");
}

/**
 * Names and contents, each with its length, in one order on every machine.
 * @param {import("node:crypto").Hash} hash
 * @param {string} path
 * @param {string} name
 */
function addTo(hash, path, name) {
  const below = listing(path);
  if (below === undefined) {
    const content = readFileSync(path);
    hash.update(`${name.length}:${name}${content.length}:`).update(content);
    return;
  }
  for (const one of below.sort()) addTo(hash, join(path, one), `${name}/${one}`);
}

/** @param {string} path */
function listing(path) {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}
