/** SIGKILL of the process with the embedded store, aligned with its commits. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { runKills } from "../src/powercut/killShell.ts";

const cycles = 20;
const msMax = 300_000;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("a store that is killed", () => {
  it("[I3][PB-2][RQ-1] has all that it acknowledged, once and in order, in the same epoch", {
    timeout: msMax,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
    folders.push(folder);
    const { history, last, hits } = await runKills(folder, cycles);
    expect(last.breaches).toEqual([]);
    // The kills must have hit: a batch under way, and some behind it.
    expect(hits).toBeGreaterThan(0);
    expect(history.acknowledged).toBeGreaterThan(cycles * 10);
  });
});
