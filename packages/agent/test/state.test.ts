import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startAgent } from "../src/agent.ts";
import { systemClock, systemRandom } from "../src/ports/system.ts";
import { openStateFolder } from "../src/state/folder.ts";
import { makeAgent, makeFolder, makeLog } from "./makeAgent.ts";

const holder = new URL("./fixtures/holdFolder.ts", import.meta.url).pathname;

function start(folder: string): { readonly child: ChildProcess; readonly said: Promise<string> } {
  const child = spawn(process.execPath, [holder, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const said = new Promise<string>((resolve) =>
    child.stdout?.once("data", (data: Buffer) => resolve(data.toString().trim())),
  );
  return { child, said };
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once("exit", () => resolve()));

describe("the state folder", () => {
  it("keeps identity and cursor, in a folder that is the owner's alone", async () => {
    const path = join(makeFolder(), "deep", "state");
    const first = await openStateFolder(path);
    expect([first.agent, first.inbox]).toEqual([undefined, undefined]);
    await first.storeAgent("agent-1");
    await first.storeInbox({ epoch: "e", offset: 7 });
    first.release();
    const second = await openStateFolder(path);
    expect([second.agent, second.inbox]).toEqual(["agent-1", { epoch: "e", offset: 7 }]);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await second.storeAgent("agent-2");
    expect(second.inbox).toBeUndefined();
    second.release();
    const third = await openStateFolder(path);
    expect([third.agent, third.inbox]).toEqual(["agent-2", undefined]);
    third.release();
  });

  it("is locked against a second process, and against a second agent of this one", async () => {
    const path = makeFolder();
    const { child, said } = start(path);
    expect(await said).toBe("held");
    await expect(openStateFolder(path)).rejects.toMatchObject({ code: "state_locked" });
    child.kill("SIGKILL");
    await ended(child);
    const ours = await openStateFolder(path);
    await expect(openStateFolder(path)).rejects.toMatchObject({ code: "state_locked" });
    ours.release();
    rmSync(path, { recursive: true });
  });

  it("gives exactly one of many that start at once the lock, again and again", async () => {
    const path = makeFolder();
    for (let round = 0; round < 3; round += 1) {
      const all = Array.from({ length: 6 }, () => start(path));
      const said = await Promise.all(all.map((one) => one.said));
      expect(said.toSorted()).toEqual(["held", ...Array.from({ length: 5 }, () => "state_locked")]);
      // The holder is killed, as a crash would: the next round must not find its ghost.
      for (const { child } of all) child.kill("SIGKILL");
      await Promise.all(
        all.map(({ child }) => (child.exitCode === null && child.signalCode === null ? ended(child) : undefined)),
      );
    }
    rmSync(path, { recursive: true });
  });

  it("notices that it was removed, or replaced", async () => {
    const path = makeFolder();
    const state = await openStateFolder(path);
    expect(state.isOurs()).toBe(true);
    rmSync(path, { recursive: true });
    expect(state.isOurs()).toBe(false);
    const other = await openStateFolder(path);
    expect([state.isOurs(), other.isOurs()]).toEqual([false, true]);
    state.release();
    other.release();
  });

  it("refuses an identity that it cannot read, naming the file", async () => {
    const path = makeFolder();
    writeFileSync(join(path, "identity.json"), "{ half");
    await expect(openStateFolder(path)).rejects.toMatchObject({
      code: "state_unusable",
      message: expect.stringContaining("identity.json"),
    });
    rmSync(path, { recursive: true });
  });
});

describe("a second start", () => {
  it("is the same agent, at the cursor where the first one was", async () => {
    const first = await makeAgent();
    first.server.dispatch("c1", "true");
    await first.server.finished("c1");
    await first.agent.stop("test");
    await using second = await makeAgent({ state: first.state });
    const [hello] = second.server.hellos;
    expect(hello).toMatchObject({ id: "agent-1", inbox: { epoch: "epoch-1", offset: 1 }, open: [] });
    expect(hello?.process).not.toBe(first.server.hellos[0]?.process);
    expect(await second.server.obeyed()).toEqual({ epoch: "epoch-1", offset: 1 });
  });

  it.each([
    [{ name: " " }, "name"],
    [{ cwd: "/nowhere/at-all" }, "/nowhere/at-all"],
    [{ kind: "terminal" as const }, "program"],
    [{ command: ["cat"] }, "cat"],
    [{ server: "ftp://example.org" }, "ftp://example.org"],
  ])("is refused with %j, which the message names", async (wrong, named) => {
    const options = {
      server: "http://127.0.0.1:1",
      name: "n",
      kind: "shell",
      cwd: "/",
      state: makeFolder(),
      keepEnv: false,
      log: makeLog([]),
      ...wrong,
    } as const;
    const never = (): never => {
      throw new Error("must not get here");
    };
    const started = startAgent(options, {
      createSession: never,
      createExecutor: never,
      openState: never,
      clock: systemClock,
      random: systemRandom,
    });
    await expect(started).rejects.toMatchObject({ code: "bad_option", message: expect.stringContaining(named) });
  });
});

describe("[PB-5] a crash (SIGKILL)", () => {
  const crashing = new URL("./fixtures/crashingAgent.ts", import.meta.url).pathname;

  it.each([
    ["beforeStore", { cursor: undefined, claimed: false, ran: false }],
    ["afterStore", { cursor: 1, claimed: false, ran: false }],
    ["afterClaim", { cursor: 1, claimed: true, ran: false }],
    ["running", { cursor: 1, claimed: true, ran: true }],
  ])("%s: the next process says what the server needs to judge it", async (moment, expected) => {
    const state = join(makeFolder(), "state");
    const child = spawn(process.execPath, [crashing, state, moment], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (data: Buffer) => {
      printed += data.toString();
    });
    await new Promise<void>((resolve) => child.once("close", () => resolve()));
    expect(child.signalCode).toBe("SIGKILL");
    await using next = await makeAgent({ state });
    const [hello] = next.server.hellos;
    expect(hello?.id).toBe("agent-1");
    expect(hello?.inbox?.offset).toBe(expected.cursor);
    // Neither started nor unstarted is open in a new process: the server ends the one and requeues the other.
    expect(hello?.open).toEqual([]);
    expect(printed.includes("claimed")).toBe(expected.claimed);
    expect(exists(join(state, "ran"))).toBe(expected.ran);
  });
});

function exists(path: string): boolean {
  try {
    return readFileSync(path).length >= 0;
  } catch {
    return false;
  }
}
