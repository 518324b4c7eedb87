/**
 * File systems of a proof's own: an ext4 in a file, whose power can be cut, and a small one in memory, which fills.
 *
 * A file system that is mounted from a file has on its "disk" (the file) only what it was made to write; what a
 * process wrote and did not sync is in memory. A copy of the file, taken while the process stands still, is so the
 * disk as a power cut at that moment leaves it. The kernel would write by itself after some seconds: for the time of
 * the proof that is off. Needs root, loop devices and Linux: {@link whyNoMounts} says what is missing.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const writebackFile = "/proc/sys/vm/dirty_writeback_centisecs";
/** ext4 commits its journal by itself after so many seconds, five by default. */
const journalSeconds = 3_600;

/** Why no file system can be mounted here; undefined where one can. */
export function whyNoMounts(): string | undefined {
  if (process.platform !== "linux") return `${process.platform} has no loop mounts of ext4`;
  if (process.getuid?.() !== 0) return "only root may mount";
  const folder = mkdtempSync(join(tmpdir(), "holdfast-mount-"));
  try {
    const image = makeImage(join(folder, "try.img"), 8);
    unmount(mountImage(image, join(folder, "disk")));
    return undefined;
  } catch (error) {
    return `mounting is not allowed here (${error instanceof Error ? error.message.split("\n")[0] : String(error)})`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An ext4 in a file of so many MiB. */
export function makeImage(path: string, mebibytes: number): string {
  writeFileSync(path, "");
  truncateSync(path, mebibytes * 1024 * 1024);
  run("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path]);
  return path;
}

/** Mounts it, after a recovery of its journal where it was cut off. Returns the folder. */
export function mountImage(image: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  run("mount", ["-o", `loop,commit=${journalSeconds}`, image, folder]);
  return folder;
}

export function mountMemory(folder: string, mebibytes: number): string {
  mkdirSync(folder, { recursive: true });
  run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "none", folder]);
  return folder;
}

export function unmount(folder: string): void {
  run("umount", [folder]);
}

/** The file as it is now, holes kept. */
export function copyImage(from: string, to: string): void {
  run("cp", ["--sparse=always", from, to]);
}

/** Runs while the kernel writes nothing by itself; the machine's setting is given back, also where this process is ended. */
export async function withoutWriteback<Value>(work: () => Promise<Value>): Promise<Value> {
  const before = readFileSync(writebackFile, "utf8").trim();
  const giveBack = (): void => writeFileSync(writebackFile, before === "0" ? "500" : before);
  const ended = (signal: NodeJS.Signals): void => {
    giveBack();
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", ended).once("SIGTERM", ended).once("exit", giveBack);
  writeFileSync(writebackFile, "0");
  try {
    return await work();
  } finally {
    giveBack();
    process.off("SIGINT", ended).off("SIGTERM", ended).off("exit", giveBack);
  }
}

function run(program: string, parameters: readonly string[]): void {
  execFileSync(program, parameters, { stdio: ["ignore", "ignore", "pipe"] });
}
