/** Where and with what a result was measured: figures without it cannot be compared. */
import { execFileSync } from "node:child_process";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";

const gibibyte = 1024 ** 3;
const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly sqlite: string;
}

export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    processor: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / gibibyte),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    sqlite: (process.versions as Readonly<Record<string, string>>)["sqlite"] ?? "unknown",
  };
}

/** The load of the last minute: what else ran here. */
export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** The commit, with a `+` where tracked sources of the server differ from it. */
export function commit(): string {
  try {
    const git = (...parameters: string[]): string =>
      execFileSync("git", parameters, { cwd: repository, encoding: "utf8" }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "packages/server", "packages/protocol");
    return `${git("rev-parse", "--short", "HEAD")}${changed === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}
