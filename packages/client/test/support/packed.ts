/**
 * The packages as anyone gets them: packed as `npm run pack` does, and their tarballs unpacked into a `node_modules`.
 *
 * Nothing is installed and no registry asked. What the packages need of others is linked from this repository.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const commandMsMax = 60_000;
/** For who waits for `unpackPackages` on a busy machine. */
export const packedMsMax = 3 * commandMsMax;

export const root = join(import.meta.dirname, "..", "..", "..", "..");

export interface Unpacked extends Disposable {
  /** A folder of its own, gone with this; the packages are in its `node_modules`. */
  readonly folder: string;
}

export function unpackPackages(): Unpacked {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-packed-"));
  const tarballs = join(folder, "tarballs");
  run(process.execPath, [join(root, "scripts", "packing", "packMain.ts"), "--out", tarballs]);
  for (const file of readdirSync(tarballs)) {
    const name = /^holdfast-([a-z]+)-/.exec(file)?.[1] ?? file;
    const target = join(folder, "node_modules", "@holdfast", name);
    mkdirSync(target, { recursive: true });
    run("tar", ["-xzf", join(tarballs, file), "-C", target, "--strip-components=1"]);
    linkDependencies(folder, target);
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Links a package of this repository's `node_modules` into the folder's. */
export function link(folder: string, name: string): void {
  const place = join(folder, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(root, "node_modules", name), place, "junction");
}

function linkDependencies(folder: string, target: string): void {
  const manifest = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as Record<string, object | undefined>;
  for (const name of Object.keys({ ...manifest["dependencies"], ...manifest["peerDependencies"] }))
    if (!name.startsWith("@holdfast/") && !existsSync(join(folder, "node_modules", name))) link(folder, name);
}

function run(command: string, parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, parameters, { encoding: "utf8", timeout: commandMsMax });
  if (status !== 0) throw new Error(`${command} ${parameters.join(" ")}: ${stderr}${error?.message ?? ""}`);
}
