/**
 * A PostgreSQL of a test's own: a new cluster in a temporary folder, reached by a socket in it.
 *
 * Life cycle: `startPostgres` → databases, stops, starts, signals → `end`, which leaves nothing. PostgreSQL refuses to
 * run as root, so there it runs as another user. No TCP: nobody else can reach it, and no port can be taken.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const startMsMax = 30_000;
const lookEveryMs = 50;
/** To connect to from the first moment on; a test's own databases are made beside it. */
const firstDatabase = "postgres";

export interface PostgresServer {
  /** A new, empty database; its URL. */
  newDatabase(): Promise<string>;
  /** The same, of a user who is no superuser, and so can be refused. */
  newOwnedDatabase(): Promise<string>;
  /** As `pg_ctl stop -m immediate` does: no checkpoint, connections cut. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  /** Starts it as a replica of nobody: it is read, and takes no writes until `select pg_promote()`. */
  startAsReplica(): Promise<void>;
  /** To the server and all its processes: they hang, or go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  query(text: string, url?: string): Promise<unknown[]>;
  end(): Promise<void>;
}

/** @param settings as `-c name=value` takes them */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = findPrograms();
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "hf-pg-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" } } as const;
  const initdb = ["-D", data, "-U", "holdfast", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"];
  execFileSync(join(programs, "initdb"), initdb, { ...options, stdio: "ignore" });
  const urlOf = (database: string): string =>
    `postgres://holdfast@localhost/${database}?host=${encodeURIComponent(folder)}`;

  let running: ChildProcess | undefined;
  let databases = 0;
  const query = async (text: string, url = urlOf(firstDatabase)): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const server: PostgresServer = {
    async newDatabase() {
      databases += 1;
      await query(`create database trial_${databases}`);
      return urlOf(`trial_${databases}`);
    },
    async newOwnedDatabase() {
      databases += 1;
      const name = `trial_${databases}`;
      await query(`create role ${name} login`);
      await query(`create database ${name} owner ${name}`);
      return urlOf(name).replace("holdfast@", `${name}@`);
    },
    async kill() {
      const ending = running;
      running = undefined;
      if (ending === undefined) return;
      const ended = new Promise<void>((done) => ending.once("exit", () => done()));
      ending.kill("SIGQUIT");
      await ended;
    },
    async start() {
      const all = ["listen_addresses=", `unix_socket_directories=${folder}`, ...settings];
      const flags = all.flatMap((setting) => ["-c", setting]);
      running = spawn(join(programs, "postgres"), ["-D", data, ...flags], { ...options, stdio: "ignore" });
      const until = performance.now() + startMsMax;
      for (;;) {
        try {
          await query("select 1");
          return;
        } catch (error) {
          if (performance.now() > until) throw error;
        }
        await sleep(lookEveryMs);
      }
    },
    async startAsReplica() {
      writeFileSync(join(data, "standby.signal"), "");
      await server.start();
    },
    signal(signal) {
      for (const pid of processesOf(running?.pid)) sendSignal(pid, signal);
    },
    query,
    async end() {
      server.signal("SIGCONT");
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** The folder of `initdb`: what `npm test` found, else where packages put it. */
function findPrograms(): string {
  const named = process.env["E2E_POSTGRES"];
  if (named !== undefined && named !== "") return named;
  const parent = "/usr/lib/postgresql";
  const newest = readdirSync(parent, { encoding: "utf8" })
    .filter((name) => /^\d+$/.test(name))
    .sort((left, right) => Number(right) - Number(left))[0];
  const programs = join(parent, newest ?? "", "bin");
  accessSync(join(programs, "initdb"));
  return programs;
}

function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const idOf = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: idOf("-u"), gid: idOf("-g") };
    } catch {
      // This machine has no such user: the next one.
    }
  }
  throw new Error("there is neither a user `postgres` nor `nobody` to run PostgreSQL as: add one");
}

/** One of its processes may have ended since it was listed, with its connection. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The server and the processes that it has made. */
function processesOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const children = listed
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
  return [pid, ...children];
}
