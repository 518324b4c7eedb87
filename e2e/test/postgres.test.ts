/** That the PostgreSQL which `npm test` found can be started here, under another user where we are root, and answers. */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { waitFor } from "../src/waiting.ts";

const startMsMax = 30_000;
const majorMin = 15;

/** PostgreSQL refuses to run as root. */
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

test("PostgreSQL ≥ 15 starts on a new folder and answers a query", async () => {
  const programs = process.env["E2E_POSTGRES"] || "/usr/lib/postgresql/15/bin";
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "hf-pg-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const environment = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" };
  const options = { ...user, cwd: folder, env: environment } as const;
  const initdb = ["-D", data, "-U", "holdfast", "--auth=trust", "--no-sync", "--no-instructions"];
  execFileSync(join(programs, "initdb"), initdb, { ...options, stdio: "ignore" });

  // A socket in the folder and no TCP: nobody else can reach it, and no port can be taken.
  const settings = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${folder}`, "-c", "fsync=off"];
  const postgres = spawn(join(programs, "postgres"), ["-D", data, ...settings], { ...options, stdio: "ignore" });
  const ended = new Promise<void>((done) => postgres.once("exit", () => done()));
  try {
    const ask = (): string | undefined => {
      const parameters = ["-h", folder, "-U", "holdfast", "-d", "postgres", "-Atc", "show server_version_num"];
      try {
        return execFileSync(join(programs, "psql"), parameters, {
          ...options,
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        });
      } catch {
        return undefined;
      }
    };
    const version = await waitFor(ask, { msMax: startMsMax, what: "an answer of PostgreSQL" });
    expect(Math.floor(Number(version) / 10_000)).toBeGreaterThanOrEqual(majorMin);
  } finally {
    postgres.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
