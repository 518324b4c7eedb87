/** A package's manifest as it is published: its entries are the emitted modules, each with its declarations. */

/** What a manifest in the repository says. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Where the emitted modules are in the package. */
export const codeFolder = "dist";

export function publishedManifest(manifest: Manifest): Readonly<Record<string, unknown>> {
  const { devDependencies: _, exports, ...rest } = manifest;
  const entries = Object.entries(exports).map(([entry, source]) => {
    const module = source.replace(/^\.\//, `./${codeFolder}/`).replace(/\.ts$/, "");
    return [entry, { types: `${module}.d.ts`, default: `${module}.js` }];
  });
  return { ...rest, exports: Object.fromEntries(entries), files: [codeFolder] };
}

/** The declaration files of its entries, below the packages' folder: `client/src/index.d.ts`. */
export function entryDeclarations(name: string, { exports }: Manifest): readonly string[] {
  return Object.values(exports).map((source) => source.replace(/^\./, name).replace(/\.ts$/, ".d.ts"));
}
