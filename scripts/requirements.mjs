/**
 * What the tests need of the system and npm does not bring: Chromium, PostgreSQL and nginx.
 *
 * Takes what the machine has (PATH, then the usual places); else asks the system's package manager where it
 * may without a question (apt-get as root, Homebrew); else says in one sentence what to install. Invariant:
 * a program counts as found only after it told its own version. The product itself needs none.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const versionMsMax = 30_000;
const installMsMax = 10 * 60_000;
const postgresMajorMin = 15;

/**
 * @typedef {object} Requirement
 * @property {string} name
 * @property {() => string | undefined} find the program's path, or the folder of its programs
 * @property {readonly string[]} apt
 * @property {readonly string[]} brew
 * @property {string} sentence what to do where it cannot be installed
 */

/** @type {Readonly<Record<"chromium" | "postgres" | "nginx", Requirement>>} */
const requirements = {
  chromium: {
    name: "Chromium",
    find: findChromium,
    apt: ["chromium", "fonts-dejavu-core"],
    brew: ["--cask", "chromium"],
    sentence: "Chromium was not found: install Chromium or Chrome, or set E2E_CHROMIUM to the path of one.",
  },
  postgres: {
    name: `PostgreSQL ≥ ${postgresMajorMin}`,
    find: findPostgres,
    apt: ["postgresql"],
    brew: ["postgresql@17"],
    sentence: `PostgreSQL ≥ ${postgresMajorMin} was not found: install it, or set E2E_POSTGRES to the folder of its \`initdb\`.`,
  },
  nginx: {
    name: "nginx",
    find: findNginx,
    apt: ["nginx-light"],
    brew: ["nginx"],
    sentence: "nginx was not found: install it, or set E2E_NGINX to the path of one.",
  },
};

/**
 * Finds each requirement, installing where that is allowed.
 * @param {readonly (keyof typeof requirements)[]} [keys] which; all where absent
 * @returns {{ chromium?: string, postgres?: string, nginx?: string, missing: readonly string[] }}
 */
export function findRequirements(keys = Object.keys(requirements)) {
  const found = { missing: [] };
  const apt = once(() => run("apt-get", ["update", "-q"]));
  for (const key of keys) {
    const requirement = requirements[key];
    const path = requirement.find() ?? (install(requirement, apt) ? requirement.find() : undefined);
    if (path === undefined) found.missing.push(requirement.sentence);
    else found[key] = path;
    process.stdout.write(`${requirement.name}: ${path ?? "not found"}\n`);
  }
  return found;
}

function findChromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const applications = ["Chromium", "Google Chrome"].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  const candidates = [process.env.E2E_CHROMIUM ?? "", ...names.flatMap(onPath), ...applications];
  return candidates.find((path) => isExecutable(path) && versionOf(path) !== undefined);
}

/** The folder that holds `initdb`, `postgres` and `psql`; the newest where there are several. */
function findPostgres() {
  const brewed = ["/opt/homebrew/opt", "/usr/local/opt"].flatMap((folder) =>
    entriesOf(folder, /^postgresql@\d+$/).map((name) => join(folder, name, "bin")),
  );
  const packaged = [
    ...entriesOf("/usr/lib/postgresql", /^\d+$/).map((name) => join("/usr/lib/postgresql", name, "bin")),
    ...entriesOf("/usr", /^pgsql-\d+$/).map((name) => join("/usr", name, "bin")),
  ];
  const onThePath = onPath("initdb").map((path) => join(path, ".."));
  return [process.env.E2E_POSTGRES ?? "", ...onThePath, ...packaged, ...brewed].find((folder) => {
    if (!["initdb", "postgres", "psql"].every((name) => isExecutable(join(folder, name)))) return false;
    const major = Number(/(\d+)(?:\.\d+)*/.exec(versionOf(join(folder, "postgres")) ?? "")?.[1] ?? 0);
    return major >= postgresMajorMin;
  });
}

function findNginx() {
  const usual = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
  const candidates = [process.env.E2E_NGINX ?? "", ...onPath("nginx"), ...usual];
  return candidates.find((path) => isExecutable(path) && versionOf(path, "-v") !== undefined);
}

function install(requirement, updateApt) {
  if (process.platform === "linux" && process.getuid?.() === 0 && onPath("apt-get").length > 0) {
    process.stdout.write(`Installing ${requirement.name} (apt-get install ${requirement.apt.join(" ")}) …\n`);
    return updateApt() && run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...requirement.apt]);
  }
  if (process.platform === "darwin" && onPath("brew").length > 0) {
    process.stdout.write(`Installing ${requirement.name} (brew install ${requirement.brew.join(" ")}) …\n`);
    return run("brew", ["install", ...requirement.brew]);
  }
  return false;
}

/** Its words go to standard error: they matter only when it fails. Runlevel 1: no service starts that nobody asked for. */
function run(command, parameters) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", HOMEBREW_NO_AUTO_UPDATE: "1" };
  return spawnSync(command, parameters, { env, stdio: ["ignore", 2, 2], timeout: installMsMax }).status === 0;
}

function versionOf(path, flag = "--version") {
  const result = spawnSync(path, [flag], { encoding: "utf8", timeout: versionMsMax });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

function isExecutable(path) {
  if (path === "") return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Names in a folder that match, the highest number first; none where there is no such folder. */
function entriesOf(folder, pattern) {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort((a, b) => Number(b.replace(/\D/g, "")) - Number(a.replace(/\D/g, "")));
  } catch {
    return [];
  }
}

function once(make) {
  let value;
  return () => {
    value ??= make();
    return value;
  };
}
