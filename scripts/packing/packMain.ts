/**
 * `npm run pack -- --out <folder>`: the packages that anyone can use, as they are published, each a tarball.
 *
 * Sources are TypeScript, which Node does not read in `node_modules`: what is published is emitted, with declarations
 * beside it, and the client's internal names are shortened. All of it is made in a folder of its own, which is gone
 * afterwards; nothing in the repository changes. It asks no registry, and publishes nothing.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { shortenClient } from "./client.ts";
import { emit, emittedFiles } from "./emit.ts";
import { codeFolder, entryDeclarations, type Manifest, publishedManifest } from "./manifest.ts";
import type { Sources } from "./reserved.ts";
import { type Module, parse } from "./syntax.ts";

const packages = ["protocol", "client", "react", "server"];
const packMsMax = 120_000;
const exitUsage = 2;

const root = resolve(import.meta.dirname, "..", "..");

const { out } = parseArgs({ options: { out: { type: "string" } } }).values;
if (out === undefined) {
  process.stderr.write("Say where the tarballs go: npm run pack -- --out <folder>\n");
  process.exit(exitUsage);
}
// npm runs a script in the repository's folder; a person means the one that they are in.
const folder = resolve(process.env["INIT_CWD"] ?? ".", out);
const workshop = mkdtempSync(join(tmpdir(), "holdfast-pack-"));
try {
  pack();
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

function pack(): void {
  const emitted = join(workshop, "emitted");
  emit(root, packages, emitted);
  writeShortClient(emitted);
  const folders = packages.map((name) => {
    const made = join(workshop, name);
    cpSync(join(emitted, name), join(made, codeFolder), { recursive: true });
    writeFileSync(join(made, "package.json"), JSON.stringify(publishedManifest(manifestOf(name)), null, 2));
    copyFileSync(join(root, "LICENSE"), join(made, "LICENSE"));
    return made;
  });
  mkdirSync(folder, { recursive: true });
  const { status, stdout, stderr, error } = spawnSync(
    "npm",
    ["pack", "--offline", "--loglevel=error", "--pack-destination", folder, ...folders],
    { cwd: workshop, encoding: "utf8", shell: process.platform === "win32", timeout: packMsMax },
  );
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}${error?.message ?? ""}`);
  process.stdout.write(`${stdout.trim()}\n`);
}

function writeShortClient(emitted: string): void {
  const sources = readSources(emitted);
  const { modules, unlisted } = shortenClient(sources);
  for (const [path, text] of modules) writeFileSync(join(emitted, path), text);
  if (unlisted.length > 0)
    process.stderr.write(`names that scripts/packing/names.ts could list as well: ${unlisted.join(" ")}\n`);
}

function readSources(emitted: string): Sources {
  const read = (base: string, paths: readonly string[]): readonly Module[] =>
    paths.map((path) => parse(path, readFileSync(join(base, path), "utf8")));
  const paths = emittedFiles(emitted).filter((path) => /^(?:client|protocol)\//.test(path));
  const code = paths.filter((path) => path.startsWith("client/") && path.endsWith(".js"));
  return {
    code: read(emitted, code),
    declarations: read(
      emitted,
      paths.filter((path) => path.endsWith(".d.ts")),
    ),
    written: read(
      join(root, "packages"),
      code.map((path) => path.replace(/\.js$/, ".ts")),
    ),
    entries: entryDeclarations("client", manifestOf("client")),
    installed: join(root, "node_modules"),
  };
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as Manifest;
}
