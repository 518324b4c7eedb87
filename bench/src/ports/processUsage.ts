/**
 * What the operating system says of a process that is not ours inside: CPU time and resident memory.
 *
 * Linux tells it in `/proc`, exactly; elsewhere `ps` does, in hundredths of a second. Our own Node children
 * tell theirs by `process.cpuUsage()`, which asks the same accounts.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:os";

export interface ProcessUsage {
  /** User and system time of all threads since its start. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const tickMs = 10;
const pageBytes = 4096;

export function processUsage(pid: number): ProcessUsage {
  return platform() === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = "0", system = "0"] = [fields[11], fields[12]];
  return { cpuMs: (Number(user) + Number(system)) * tickMs, residentBytes: Number(fields[21]) * pageBytes };
}

function fromPs(pid: number): ProcessUsage {
  const [time = "0:0", kibibytes = "0"] = execFileSync("ps", ["-o", "time=,rss=", "-p", String(pid)], {
    encoding: "utf8",
  })
    .trim()
    .split(/\s+/);
  const seconds = time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return { cpuMs: seconds * 1_000, residentBytes: Number(kibibytes) * 1024 };
}
