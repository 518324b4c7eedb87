/**
 * The program as it was at an earlier commit, beside the one of today: for two versions at once on one database.
 *
 * Life cycle: the commit's files are taken out of git into a folder → its packages are linked to each other, and to what
 * this repository has installed → run as a server → the folder goes. Invariants: nothing of today's packages is in it;
 * what it asks of others is what today's lockfile has, so a commit that needs something else does not start, and says so.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "./serverProcess.ts";

const scope = "@holdfast";
const archiveBytesMax = 500_000_000;

export interface OlderProgram {
  readonly commit: string;
  /** Where its sources are. */
  readonly folder: string;
  remove(): void;
}

/** Throws where git does not know the commit. */
export function takeOlderProgram(commit: string): OlderProgram {
  const name = execFileSync("git", ["rev-parse", "--short", "--verify", `${commit}^{commit}`], {
    cwd: repository,
    encoding: "utf8",
  }).trim();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-older-"));
  try {
    const archive = execFileSync("git", ["archive", "--format=tar", name, "package.json", "packages"], {
      cwd: repository,
      maxBuffer: archiveBytesMax,
    });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    linkModules(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { commit: name, folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

function linkModules(folder: string): void {
  const installed = join(repository, "node_modules");
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, scope), { recursive: true });
  for (const name of readdirSync(installed))
    if (name !== scope && !name.startsWith(".")) symlinkSync(join(installed, name), join(modules, name));
  for (const name of readdirSync(join(folder, "packages")))
    symlinkSync(join(folder, "packages", name), join(modules, scope, name));
  // What npm has put beside one package, since another version is shared.
  for (const name of readdirSync(join(folder, "packages"))) {
    const own = join(repository, "packages", name, "node_modules");
    if (readdirSync(join(repository, "packages")).includes(name) && exists(own))
      symlinkSync(own, join(folder, "packages", name, "node_modules"));
  }
}

function exists(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch {
    return false;
  }
}
