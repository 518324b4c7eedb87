/**
 * `npm run lockfile`: completes `package-lock.json` after an `npm install`, so that `npm ci` accepts it anywhere.
 *
 * A package with a binary for each platform names them all as optional. npm records only those that the
 * registry gave it; where a mirror lacks one (for another platform, it is not missed), the lockfile has no
 * entry for it, npm ≥ 11.16 then refuses its own lockfile (npm/cli#9846), and the other platform would never
 * get its binary (npm/cli#4828). Each absent one is entered here with the exact version that its parent asks for and
 * with its platform, which its name says; without a hash, since nobody here has seen its bytes. Invariant:
 * entries that npm wrote are never touched.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./install.mjs";

const path = join(root, "package-lock.json");

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/**
 * @param {Record<string, Record<string, unknown>>} packages of a lockfile; gets what is absent
 * @returns {readonly string[]} the names added
 */
function addPlatforms(packages) {
  const added = [];
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (parent === "" || isResolved(packages, parent, name) || !/^\d+\.\d+\.\d+/.test(version)) continue;
      packages[`${parent}/node_modules/${name}`] = {
        version,
        ...platformOf(name),
        ...(entry.dev === true ? { dev: true } : {}),
        optional: true,
      };
      added.push(name);
    }
  }
  return added;
}

/** As Node resolves: in the parent's own folder, then in each folder above. */
function isResolved(packages, parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, folder.lastIndexOf("node_modules/") - 1)) {
    if (packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !== undefined) return true;
    if (!folder.includes("node_modules/")) return packages[`node_modules/${name}`] !== undefined;
  }
}

/** `@biomejs/cli-linux-x64-musl` → Linux, x64, musl. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") ? ["glibc"] : [];
  return { ...(cpu.length > 0 ? { cpu } : {}), ...(libc.length > 0 ? { libc } : {}), ...(os.length > 0 ? { os } : {}) };
}

const lockfile = JSON.parse(readFileSync(path, "utf8"));
const added = addPlatforms(lockfile.packages);
lockfile.packages = Object.fromEntries(Object.entries(lockfile.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
process.stdout.write(`${added.length} entries added to package-lock.json\n`);
