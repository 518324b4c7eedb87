/** Local agents as real processes: one a folder, adopted, replaced, stopped. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { isProcessLocked, readProcessRecord } from "../../src/files/processLock.ts";
import {
  agentLogBytesMax,
  type LocalAgentOptions,
  startLocalAgent,
  stopHolder,
} from "../../src/localAgents/localAgentShell.ts";
import { until } from "../../src/shell/wait.ts";
import { makeCollectedLog } from "../support/collectedLog.ts";
import { makeFolder } from "../support/folders.ts";

const fakeAgent = fileURLToPath(new URL("../support/fakeAgent.ts", import.meta.url));

function makeOptions(
  folder: string,
  behaviour: string,
  version: string,
): LocalAgentOptions & { log: ReturnType<typeof makeCollectedLog> } {
  return {
    part: "shell",
    folder,
    program: [process.execPath, fakeAgent, behaviour, version, "--state", folder],
    cwd: folder,
    environment: process.env,
    version,
    key: false,
    log: makeCollectedLog(),
  };
}

async function start(options: LocalAgentOptions) {
  const agent = await startLocalAgent(options);
  onTestFinished(() => agent.kill());
  return agent;
}

async function expectRunning(folder: string): Promise<number> {
  expect(
    await until(
      () => isProcessLocked(folder) && readProcessRecord(folder) !== undefined && logText(folder).includes("running"),
      {
        msMax: 10_000,
        everyMs: 20,
      },
    ),
  ).toBe(true);
  return readProcessRecord(folder)?.pid ?? 0;
}

function logText(folder: string): string {
  return readFileSync(join(folder, "log"), "utf8");
}

describe("a local agent", () => {
  it("[F58] whoever holds the folder is stopped, also where nobody here watches it", async () => {
    const options = makeOptions(makeFolder(), "good", "1");
    await start(options);
    const pid = await expectRunning(options.folder);
    await stopHolder(options, 5_000);
    expect(isProcessLocked(options.folder)).toBe(false);
    expect(options.log.events).toContainEqual(
      expect.objectContaining({ event: "localAgent.unwatched", fields: expect.objectContaining({ pid }) }),
    );
    await stopHolder(options, 5_000);
  });

  it("runs in a session of its own, with its words in its own log, and stops politely", async () => {
    const folder = join(makeFolder(), "deep", "shell");
    const options = makeOptions(folder, "good", "1");
    const agent = await start(options);
    expect(await expectRunning(folder)).toBe(agent.pid);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "log")).mode & 0o777).toBe(0o600);
    // A session of its own: its process group is itself, which a signal to that group shows.
    expect(() => process.kill(-agent.pid, 0)).not.toThrow();
    await agent.stop(5_000);
    expect(isProcessLocked(folder)).toBe(false);
    expect(logText(folder)).toContain("stopped politely");
    expect(options.log.events.filter(({ level }) => level !== "info")).toEqual([]);
  });

  it("is adopted by the next start, and stopped by it", async () => {
    const folder = makeFolder();
    await start(makeOptions(folder, "good", "1"));
    const pid = await expectRunning(folder);
    const options = makeOptions(folder, "good", "1");
    const adopted = await start(options);
    expect(adopted).toMatchObject({ pid, adopted: true });
    expect(options.log.events).toMatchObject([{ event: "localAgent.adopted", fields: { pid } }]);
    await adopted.stop(5_000);
    expect(isProcessLocked(folder)).toBe(false);
    expect(logText(folder).match(/running/g)).toHaveLength(1);
  });

  it("is one even where two starts race", async () => {
    const folder = makeFolder();
    const [first, second] = await Promise.all([
      start(makeOptions(folder, "good", "1")),
      start(makeOptions(folder, "good", "1")),
    ]);
    await expectRunning(folder);
    expect(await until(() => logText(folder).includes("locked out"), { msMax: 10_000, everyMs: 20 })).toBe(true);
    expect(logText(folder).match(/running/g)).toHaveLength(1);
    await Promise.all([first.stop(5_000), second.stop(5_000)]);
    expect(isProcessLocked(folder)).toBe(false);
  });

  it("is replaced where its version differs, politely", async () => {
    const folder = makeFolder();
    await start(makeOptions(folder, "good", "1"));
    const old = await expectRunning(folder);
    const agent = await start(makeOptions(folder, "good", "2"));
    expect(agent.adopted).toBe(false);
    expect(await until(() => readProcessRecord(folder)?.version === "2", { msMax: 10_000, everyMs: 20 })).toBe(true);
    expect(readProcessRecord(folder)?.pid).not.toBe(old);
    expect(logText(folder)).toContain("stopped politely");
    await agent.stop(5_000);
  });

  it("is started anew where the one before died without a word, whatever its record says", async () => {
    const folder = makeFolder();
    const first = await start(makeOptions(folder, "good", "1"));
    await expectRunning(folder);
    first.kill();
    expect(await until(() => !isProcessLocked(folder), { msMax: 5_000, everyMs: 20 })).toBe(true);
    // The dead one's record stays behind, and its pid may be anyone's by now.
    expect(existsSync(join(folder, "process.json"))).toBe(true);
    writeFileSync(join(folder, "process.json"), JSON.stringify({ pid: process.pid, version: "1", key: false }));
    const second = await start(makeOptions(folder, "good", "1"));
    expect(second.adopted).toBe(false);
    expect(await until(() => readProcessRecord(folder)?.pid === second.pid, { msMax: 10_000, everyMs: 20 })).toBe(true);
    await second.stop(5_000);
  });

  it("is killed where it does not stop in time, and that is logged", async () => {
    const folder = makeFolder();
    const options = makeOptions(folder, "deaf", "1");
    const agent = await start(options);
    await expectRunning(folder);
    await agent.stop(200);
    expect(isProcessLocked(folder)).toBe(false);
    expect(options.log.events).toContainEqual({
      level: "warn",
      event: "localAgent.killed",
      fields: { part: "shell", pid: agent.pid, afterMs: 200 },
    });
  });

  it("that ends by itself is told with its exit code and where its log is", async () => {
    const folder = makeFolder();
    const options = makeOptions(folder, "crash", "1");
    const ended = new Promise<number | null>((onEnd) => void start({ ...options, onEnd }));
    expect(await ended).toBe(1);
    expect(options.log.events.at(-1)).toMatchObject({
      level: "error",
      event: "localAgent.ended",
      fields: { exitCode: 1, log: join(folder, "log") },
    });
  });

  it("whose program does not exist makes the start fail with what the system says", async () => {
    const folder = makeFolder();
    await expect(start({ ...makeOptions(folder, "good", "1"), program: ["/nowhere/at/all"] })).rejects.toThrow(
      "ENOENT",
    );
  });

  it("begins with a fresh log where the old one has grown over its bound", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "log"), "x".repeat(agentLogBytesMax + 1));
    const agent = await start(makeOptions(folder, "good", "1"));
    await expectRunning(folder);
    expect(statSync(join(folder, "log.1")).size).toBe(agentLogBytesMax + 1);
    expect(logText(folder)).toMatch(/^running \d+\n$/);
    await agent.stop(5_000);
  });
});
