/** The embedded store over its workers: durability across a re-open, the folder's lock, sentences at start. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { StartError } from "../../src/options.ts";
import { platformClock } from "../../src/ports/platform.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { startWorker } from "../../src/store/sqlite/worker.ts";
import { ada, newId } from "../support/principals.ts";

const app = new URL("../support/notesApp.ts", import.meta.url);
const folders: string[] = [];
const stores: Store[] = [];

async function open(folder: string): Promise<Store> {
  const store = await openSqliteStore({ folder, plugins: [app], clock: platformClock, onFailure: () => {} });
  stores.push(store);
  return store;
}
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-store-"));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close().catch(() => {});
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("the embedded store", () => {
  it("[ST-1] keeps epoch, offsets and content across a re-open", async () => {
    const folder = newFolder();
    const first = await open(folder);
    await first.commit([
      { kind: "request", caller: ada, id: newId(), method: "note.add", params: { text: "kept" }, hash: "h" },
    ]);
    const before = [await first.position("default", "notes"), await first.read("default", "notes", 0, 10, 1_000)];
    await first.close();
    const second = await open(folder);
    expect([await second.position("default", "notes"), await second.read("default", "notes", 0, 10, 1_000)]).toEqual(
      before,
    );
    expect(await second.snapshot("default", "notes")).toMatchObject({ data: { notes: [{ text: "kept" }] } });
  });

  it("[AU-1] is its owner's alone, in a folder that others look into too: it has the key that signs sessions", async () => {
    const folder = newFolder();
    chmodSync(folder, 0o755);
    const store = await open(folder);
    await store.commit([{ kind: "append", workspace: "w", stream: "s", events: [{ event: "noted", data: 1 }] }]);
    const ours = readdirSync(folder).filter((name) => name.startsWith("holdfast.db"));
    expect(ours).toContain("holdfast.db-wal");
    expect(ours.map((name) => statSync(join(folder, name)).mode & 0o077)).toEqual(ours.map(() => 0));
  });

  it("a reader that came first opens what the writer has made, not the empty folder", async () => {
    const settings = { folder: newFolder(), plugins: [app.href] };
    const fail = (error: unknown): never => {
      throw error;
    };
    const { promise: made, resolve } = Promise.withResolvers<void>();
    const reading = startWorker({ ...settings, role: "reader" }, fail, made);
    const writer = await startWorker({ ...settings, role: "writer" }, fail);
    resolve();
    const reader = await reading;
    expect(await reader.call({ name: "position", workspace: "default", stream: "notes" })).toBeNull();
    await reader.stop();
    await writer.stop();
  });

  it("a reader is not started where the writer is not", async () => {
    const before = Promise.reject(new StartError("the folder is in use"));
    const settings = { folder: newFolder(), plugins: [app.href], role: "reader" } as const;
    await expect(startWorker(settings, () => {}, before)).rejects.toThrow("the folder is in use");
  });

  it("[F79] a second store on one folder is refused with one sentence that names the first's process", async () => {
    const folder = newFolder();
    await open(folder);
    await expect(open(folder)).rejects.toThrow(
      new StartError(
        `The data folder ${folder} is in use by another Holdfast (process ${process.pid}); stop that one, or choose another folder with --data.`,
      ),
    );
  });

  it("[F79] a folder that is a file is refused with one sentence", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    await expect(open(file)).rejects.toThrow(
      /^The data folder .*file cannot be written \(EEXIST\); choose another with --data/,
    );
  });

  it("[F03] a fault in a handler comes back with its error, across the thread", async () => {
    const store = await open(newFolder());
    const result = await store.commit([
      { kind: "request", caller: ada, id: newId(), method: "note.add", params: { text: "break" }, hash: "h" },
    ]);
    expect(result.faults[0]?.error).toBeInstanceOf(Error);
    expect(result.faults[0]?.error).toMatchObject({
      name: "TypeError",
      message: "broken as asked",
      stack: expect.stringContaining("notesApp"),
    });
  });
});
