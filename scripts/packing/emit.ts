/**
 * The packages' TypeScript as JavaScript and declarations, by the compiler that checks them.
 *
 * Every source becomes one module of the same name: nothing is bundled, so that whoever bundles takes what is used
 * only. What names a source by its extension names the module afterwards.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

const compileMsMax = 120_000;

/** Writes `<folder>/<package>/src/….js` and `….d.ts` for all sources of these packages. Throws what the compiler says. */
export function emit(root: string, packages: readonly string[], folder: string): void {
  const project = join(folder, "tsconfig.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(project, JSON.stringify(settings(root, packages, folder)));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, error } = spawnSync(process.execPath, [compiler, "--project", project], {
    encoding: "utf8",
    timeout: compileMsMax,
  });
  if (status !== 0) throw new Error(`the packages do not compile:\n${stdout}${error?.message ?? ""}`);
  for (const path of emittedFiles(folder)) {
    const file = join(folder, path);
    const text = readFileSync(file, "utf8");
    const renamed = withModuleNames(text, path.endsWith(".d.ts"));
    if (renamed !== text) writeFileSync(file, renamed);
  }
}

/** All emitted files, below the folder, with `/`. */
export function emittedFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:js|d\.ts)$/.test(path))
    .map((path) => path.split(sep).join("/"))
    .sort();
}

function settings(root: string, packages: readonly string[], folder: string) {
  return {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      allowImportingTsExtensions: false,
      rootDir: join(root, "packages"),
      outDir: folder,
      typeRoots: [join(root, "node_modules", "@types")],
    },
    include: packages.flatMap((name) => ["src", "schema"].map((part) => join(root, "packages", name, part))),
  };
}

/** The compiler renames the imports of code only: neither those of declarations nor the addresses of workers. */
function withModuleNames(text: string, isDeclaration: boolean): string {
  return isDeclaration
    ? text.replaceAll(/(\b(?:from|import)\b\s*\(?\s*")(\.{1,2}\/[^"\n]+)\.tsx?"/g, '$1$2.js"')
    : text.replaceAll(/(\bnew URL\("\.{1,2}\/[^"\n]+)\.ts"(?=, import\.meta\.url\))/g, '$1.js"');
}
