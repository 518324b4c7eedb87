/** A file that is replaced, removed and written again. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { writePrivateFile } from "../../src/files/privateFile.ts";
import { watchFile, watchText } from "../../src/shell/watchFile.ts";
import { makeFolder } from "../support/folders.ts";

const waiting = { timeout: 5_000, interval: 20 };

it("tells of each write, also where the file was replaced or missing, and not of a removal", async () => {
  const path = join(makeFolder(), "server.json");
  let told = 0;
  const unwatch = watchFile(path, () => {
    told += 1;
  });
  onTestFinished(unwatch);
  writePrivateFile(path, "1");
  await vi.waitUntil(() => told === 1, waiting);
  writePrivateFile(path, "2");
  await vi.waitUntil(() => told === 2, waiting);
  rmSync(path);
  writePrivateFile(join(path, "..", "other"), "x");
  writePrivateFile(path, "3");
  await vi.waitUntil(() => told === 3, waiting);
  expect(told).toBe(3);
});

it("misses nothing that was written between a reader's own look and the first of the watch", async () => {
  const path = join(makeFolder(), "assistants.json");
  writePrivateFile(path, "1");
  writePrivateFile(path, "2");
  let told = 0;
  onTestFinished(
    watchText(path, "1", () => {
      told += 1;
    }),
  );
  await vi.waitUntil(() => told === 1, waiting);
  writePrivateFile(path, "2");
  writePrivateFile(path, "3");
  await vi.waitUntil(() => told === 2, waiting);
});
