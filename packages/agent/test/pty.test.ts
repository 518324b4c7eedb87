import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { systemClock } from "../src/ports/system.ts";
import { nodePty } from "../src/pty/nodePtyShell.ts";
import { inputBytesMax, type Pty, type PtyEnd } from "../src/pty/port.ts";

const spawn = nodePty(systemClock);
const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };

interface Run {
  readonly pty: Pty;
  readonly ended: Promise<PtyEnd>;
  readonly output: () => Buffer;
  readonly printed: (text: string) => Promise<void>;
}

function run(command: readonly [string, ...string[]], onData?: (pty: Pty) => void): Run {
  const chunks: Uint8Array[] = [];
  let end: (value: PtyEnd) => void = () => {};
  const ended = new Promise<PtyEnd>((resolve) => {
    end = resolve;
  });
  const waiting = new Set<() => void>();
  const output = (): Buffer => Buffer.concat(chunks);
  const pty = spawn(
    { command, cwd: tmpdir(), environment, cols: 80, rows: 24 },
    {
      data: (bytes) => {
        chunks.push(bytes);
        onData?.(pty);
        for (const check of waiting) check();
      },
      ended: (value) => end(value),
    },
  );
  const printed = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!output().includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { pty, ended, output, printed };
}

const node = (script: string): [string, ...string[]] => [process.execPath, "-e", script];
/** 1 MiB of 251 byte values in turn; the terminal is raw, so nothing is translated. */
const mebibyte = (raw: string): string => `${raw}
  const all = Buffer.alloc(1 << 20, (() => { const b = Buffer.alloc(251); for (let i = 0; i < 251; i++) b[i] = i; return b; })());
  let at = 0; while (at < all.length) { try { at += require("fs").writeSync(1, all, at); } catch (e) { if (e.code !== "EAGAIN") throw e; } }
  process.exit(7);`;
const rawMode = `require("child_process").execSync("stty raw -echo", { stdio: "inherit" });`;
const expected = ((): string => {
  const part = Buffer.alloc(251);
  for (let index = 0; index < 251; index += 1) part[index] = index;
  return createHash("sha256")
    .update(Buffer.alloc(1 << 20, part))
    .digest("hex");
})();
const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("the pty", () => {
  it("gives every byte of 1 MiB of all values, printed at once before the exit, 50 times", async () => {
    for (let round = 0; round < 50; round += 1) {
      const { ended, output } = run(node(mebibyte(rawMode)));
      expect(await ended).toEqual({ exitCode: 7, signal: undefined });
      expect(output().length).toBe(1 << 20);
      expect(digest(output())).toBe(expected);
    }
  }, 60_000);

  it("[PB-4] loses nothing of what a program left behind at its exit while the reader was paused", async () => {
    const { pty, ended, output } = run(["/bin/sh", "-c", "stty raw; head -c 3000 /dev/zero; printf end"]);
    pty.pause();
    // Longer than node-pty's own patience after an exit.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(output().length).toBe(0);
    pty.resume();
    await ended;
    expect(output().length).toBe(3003);
    expect(output().toString().endsWith("end")).toBe(true);
  });

  it("[PB-4] a paused reader stops the program instead of buffering", async () => {
    let pauses = 0;
    const { ended, output } = run(node(mebibyte(rawMode)), (pty) => {
      pauses += 1;
      pty.pause();
      setTimeout(() => pty.resume(), 1);
    });
    await ended;
    expect(digest(output())).toBe(expected);
    expect(pauses).toBeGreaterThan(10);
  });

  it("[PB-4] loses nothing of a program that exits while a reader that had begun is paused", async () => {
    const { pty, ended, output, printed } = run(["/bin/sh", "-c", "printf first; sleep 0.2; printf second"]);
    await printed("first");
    pty.pause();
    await new Promise((resolve) => setTimeout(resolve, 700));
    pty.resume();
    await ended;
    expect(output().toString()).toBe("firstsecond");
  });

  it("never waits for a program that reads nothing, and refuses what is too much", async () => {
    const { pty, ended, printed } = run(["/bin/sh", "-c", "stty raw -echo; printf ready; sleep 1000"]);
    await printed("ready");
    const started = performance.now();
    let taken = 0;
    while (pty.write(Buffer.alloc(64 * 1024, 0x61))) taken += 64 * 1024;
    expect(taken).toBeLessThanOrEqual(inputBytesMax + 64 * 1024);
    expect(performance.now() - started).toBeLessThan(500);
    pty.signal("SIGKILL");
    await ended;
    expect(pty.write(Buffer.from("x"))).toBe(true);
  });

  it("gives a slow reader all of its input, in order", async () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `${index},`).join("");
    const { pty, ended, output, printed } = run([
      "/bin/sh",
      "-c",
      `stty raw -echo; printf ready; sleep 0.2; head -c ${text.length} | cksum`,
    ]);
    await printed("ready");
    expect(pty.write(Buffer.from(text))).toBe(true);
    await ended;
    const reference = execFileSync("cksum", { input: text }).toString().trim();
    expect(output().toString().slice("ready".length).trim()).toBe(reference);
  });

  it("writes bytes exactly, also those that are no UTF-8", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const { pty, ended, output, printed } = run(["/bin/sh", "-c", "stty raw -echo; printf ready; exec cat"]);
    await printed("ready");
    expect(pty.write(bytes)).toBe(true);
    while (output().length < 5 + 256) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(output().subarray(5)).toEqual(bytes);
    pty.signal("SIGKILL");
    expect(await ended).toEqual({ exitCode: 0, signal: 9 });
  });

  it("ends although a background process keeps the terminal open", async () => {
    const { ended, output } = run(["/bin/sh", "-c", "trap '' HUP; sleep 30 & echo done"]);
    expect(await ended).toEqual({ exitCode: 0, signal: undefined });
    expect(output().toString()).toBe("done\r\n");
  });

  it.runIf(process.platform === "linux")("gives a program no other program's terminal", async () => {
    const first = run(["/bin/sh", "-c", "printf ready; sleep 1000"]);
    await first.printed("ready");
    const second = run(["/bin/sh", "-c", "ls -l /proc/self/fd"]);
    await second.ended;
    expect(second.output().toString()).not.toContain("ptmx");
    first.pty.signal("SIGKILL");
    await first.ended;
  });

  it("signals the whole group", async () => {
    const { pty, ended, output, printed } = run(["/bin/sh", "-c", "sleep 1000 & echo child $!; wait"]);
    await printed("\n");
    const child = Number(/child (\d+)/.exec(output().toString())?.[1]);
    pty.signal("SIGTERM");
    expect((await ended).signal).toBe(15);
    while (isAlive(child)) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("resizes", async () => {
    const { pty, ended, output } = run(["/bin/sh", "-c", "sleep 0.2; stty size"]);
    pty.resize(100, 40);
    await ended;
    expect(output().toString().trim()).toBe("40 100");
  });

  it("tells a program that cannot be started by its end", async () => {
    const { ended } = run(["/nowhere/at-all"]);
    expect((await ended).exitCode).not.toBe(0);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
