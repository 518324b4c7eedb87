/** What the embedded store does when its disk is full, lies, or was damaged. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { judge, newHistory } from "../src/powercut/history.ts";
import { lookInto } from "../src/powercut/lookShell.ts";
import { mountMemory, unmount, whyNoMounts } from "../src/powercut/ports/mounts.ts";
import { startWriter } from "../src/powercut/writerShell.ts";

const msMax = 300_000;
const mebibyte = 1024 * 1024;
const noMounts = whyNoMounts();
const noTracer = whyNoTracer();
const program = fileURLToPath(new URL("../../packages/holdfast/src/main.ts", import.meta.url));
const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-disk-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
afterAll(() => {
  if (noMounts !== undefined) process.stdout.write(`not run: a full disk, since ${noMounts}\n`);
  if (noTracer !== undefined) process.stdout.write(`not run: a failing fsync, since ${noTracer}\n`);
});

/** Why no system call can be made to fail here. */
function whyNoTracer(): string | undefined {
  try {
    execFileSync("strace", ["-o", "/dev/null", "-e", "trace=none", "true"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "strace is not here, or may not trace";
  }
}

describe.runIf(noMounts === undefined)("a full disk", () => {
  it("[F71] refuses what it cannot keep, gives what it has, and goes on when there is room again", {
    timeout: msMax,
  }, async () => {
    const disk = mountMemory(join(newFolder(), "disk"), 12);
    const history = newHistory();
    const writer = startWriter(history, { folder: join(disk, "data") });
    try {
      await writer.acknowledged(10);
      fill(join(disk, "filler"));
      await writer.refused(3);
      const kept = history.acknowledged;
      rmSync(join(disk, "filler"));
      await writer.acknowledged(10);
      expect(history.acknowledged).toBeGreaterThan(kept);
      await writer.kill();
      expect(judge(history, await lookInto(join(disk, "data"))).breaches).toEqual([]);
    } finally {
      await writer.kill();
      unmount(disk);
    }
  });
});

/** Takes all the room that there is. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const size of [mebibyte, 4_096]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, bytes: Uint8Array): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
  }
}

describe.runIf(noTracer === undefined)("an fsync that fails", () => {
  it("[I3] once: its batch is refused, and nothing is acknowledged before the store was opened again", {
    timeout: msMax,
  }, async () => {
    const { trace, history, folder } = await traced("when=60");
    const steps = stepsOf(trace);
    const failed = steps.indexOf("failed");
    expect(failed).toBeGreaterThan(0);
    const next = steps.slice(failed);
    expect(next.indexOf("acknowledged")).toBeGreaterThan(next.indexOf("opened"));
    expect(next.indexOf("opened")).toBeGreaterThan(0);
    expect(history.refused).toBeGreaterThan(0);
    expect(judge(history, await lookInto(folder)).breaches).toEqual([]);
  });

  it("[I3] each time from then on: nothing is acknowledged any more", { timeout: msMax }, async () => {
    const { trace, history, folder } = await traced("when=60+", "refused");
    const steps = stepsOf(trace);
    expect(steps.slice(steps.indexOf("failed"))).not.toContain("acknowledged");
    expect(judge(history, await lookInto(folder)).breaches).toEqual([]);
  });
});

/** A writer whose syncs fail as `when` says, and what it did in its order. */
async function traced(when: string, until: "acknowledged" | "refused" = "acknowledged") {
  const folder = join(newFolder(), "data");
  const trace = join(newFolder(), "trace");
  const calls = "fsync,fdatasync";
  const history = newHistory();
  const under = ["strace", "-f", "-qq", "-s", "120", "-o", trace];
  const flags = ["-e", `trace=${calls},openat,write`, "-e", `inject=${calls}:error=EIO:${when}`];
  const writer = startWriter(history, { folder, under: [...under, ...flags] });
  try {
    await writer.refused(1);
    await (until === "refused" ? writer.refused(10) : writer.acknowledged(10));
  } finally {
    await writer.kill();
  }
  return { folder, history, trace: readFileSync(trace, "utf8") };
}

function stepsOf(trace: string): ("failed" | "opened" | "acknowledged")[] {
  return trace.split("\n").flatMap((line) => {
    if (line.includes("(INJECTED)")) return ["failed" as const];
    if (/openat\(.*holdfast\.db(-wal)?"/.test(line)) return ["opened" as const];
    return /write\(1, .*done/.test(line) ? ["acknowledged" as const] : [];
  });
}

describe("a damaged store", () => {
  it.each([
    ["its file is cut off", (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2 / 4_096) * 4_096)],
    ["its file is something else", (file: string) => writeFileSync(file, "no database\n".repeat(1_000))],
    ["pages of it are overwritten", (file: string) => overwrite(file)],
  ])("[F79] is told in one sentence, and nothing is changed: %s", { timeout: msMax }, async (_title, damage) => {
    const folder = join(newFolder(), "data");
    const writer = startWriter(newHistory(), { folder });
    await writer.acknowledged(40);
    await writer.kill();
    // Closed properly, so that all of it is in the one file.
    await lookInto(folder);
    const file = join(folder, "holdfast.db");
    damage(file);
    copyFileSync(file, `${file}.before`);
    await expect(lookInto(folder)).rejects.toThrow(/^The store in .* is damaged \(.*\): put a backup/);

    const run = spawnSync(process.execPath, [program, "serve", "--data", folder, "--port", "0"], { encoding: "utf8" });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/^The store in .* is damaged \(.*\): put a backup of the folder in its place, .*\n$/);
    expect(readFileSync(file).equals(readFileSync(`${file}.before`))).toBe(true);
  });
});

function overwrite(file: string): void {
  const bytes = readFileSync(file);
  for (let page = 3; page * 4_096 < bytes.length; page += 2) bytes.fill(0xa5, page * 4_096, page * 4_096 + 512);
  writeFileSync(file, bytes);
}
