/** A start and a stop of the whole, with a server and agents that do what the test says. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "@holdfast/server";
import { defaultAdmissionLimits } from "@holdfast/server/admission";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { exitCodes } from "../../src/commandLine/exitCodes.ts";
import type { Config } from "../../src/config/fields.ts";
import { operatorKeyFile, readServerRecord, serverFile, writeServerRecord } from "../../src/files/serverFile.ts";
import { type ServeParts, serveUntilSignal } from "../../src/serve/serveShell.ts";
import { repeatedSignalMsMin } from "../../src/shell/signals.ts";
import { makeCollectedLog } from "../support/collectedLog.ts";
import { makeFolder } from "../support/folders.ts";

function makeWorld(given: Partial<Config> = {}, isTTY = false) {
  const data = makeFolder();
  const happened: string[] = [];
  const log = makeCollectedLog();
  let online = (): void => {};
  const written: string[] = [];
  const config: Config = {
    port: 0,
    host: "127.0.0.1",
    data,
    mode: "local",
    publicUrl: null,
    tls: { cert: null, key: null },
    trustProxies: [],
    retention: { workDays: 90, workGigabytes: 10, recordDays: 14, auditDays: 365 },
    database: { url: null, busUrl: null },
    origins: [],
    log: { level: "info", format: "auto" },
    flags: { file: null },
    metrics: { dashboardNames: false },
    alerts: { webhook: null },
    agents: { shell: true, demo: false, assistants: false },
    printSignIn: false,
    signIn: {
      links: null,
      lifeSeconds: 3_600,
      keyDays: 90,
      supabase: { url: null, secret: null, publishableKey: null, role: "viewer" },
      oidc: { issuer: null, clientId: null, clientSecret: null, name: "single sign-on", role: "viewer" },
      issuers: [],
    },
    admission: defaultAdmissionLimits,
    assistants: { sealingKey: null, firstTokenSeconds: 60, betweenTokensSeconds: 60, answerSeconds: 900 },
    ...given,
  };
  const parts: ServeParts = {
    config,
    version: "1",
    log,
    output: { isTTY, write: (text) => void written.push(text) },
    app: new URL("file:///app.ts"),
    page: undefined,
    unknownEnvironment: [],
    onReady: () => {},
    createServer: async () => ({
      url: "https://fleet.example",
      localUrl: "http://127.0.0.1:1",
      port: 1,
      signInCode: async () => "CODE",
      agentKey: async (name) => `key of ${name}`,
      sharedAgentKey: async (name) => `shared key of ${name}`,
      operatorKey: async () => "hfk_operator",
      retention: () => ({ removed: { requests: 0, producers: 0, events: 0 }, size: undefined, isFull: false }),
      close: async () => {
        happened.push(`server closed, server.json ${existsSync(serverFile(data)) ? "there" : "gone"}`);
      },
    }),
    startAgents: () => ({
      stop: async () => void happened.push("agents stopped"),
      kill: () => void happened.push("agents killed"),
    }),
    startAssistants: () => ({
      stop: async () => void happened.push("assistants stopped"),
      kill: () => void happened.push("assistants killed"),
    }),
    watchFleet: () => ({
      allOnline: new Promise<void>((done) => {
        online = done;
      }),
      close: async () => void happened.push("watch closed"),
    }),
  };
  const signal = (name: "SIGTERM" | "SIGINT") => void process.emit(name, name);
  return { data, happened, log, written, parts, signal, online: () => online() };
}

describe("serve", () => {
  it("tells the data folder where it is, waits for its agents, then says ready, once", async () => {
    const { data, written, parts, online, signal, log } = makeWorld();
    const end = serveUntilSignal(parts);
    await vi.waitUntil(() => existsSync(serverFile(data)));
    expect(readServerRecord(serverFile(data))).toEqual({
      url: "http://127.0.0.1:1",
      publicUrl: "https://fleet.example",
      pid: process.pid,
      version: "1",
    });
    expect(statSync(serverFile(data)).mode & 0o777).toBe(0o600);
    expect(readFileSync(operatorKeyFile(data), "utf8")).toBe("hfk_operator\n");
    expect(statSync(operatorKeyFile(data)).mode & 0o777).toBe(0o600);
    expect(written).toEqual([]);
    online();
    await vi.waitUntil(() => written.length > 0);
    expect(written).toEqual(["ready https://fleet.example\n"]);
    expect(log.events[0]).toMatchObject({
      event: "server.starting",
      fields: { mode: "local", store: "sqlite", version: "1", data },
    });
    signal("SIGTERM");
    expect(await end).toBe(exitCodes.done);
  });

  it("says ready also where an agent stays away, and logs that", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { written, parts, signal, log } = makeWorld();
    const end = serveUntilSignal(parts);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(written).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(written).toEqual(["ready https://fleet.example\n"]);
    expect(log.events).toContainEqual({ level: "warn", event: "localAgents.late", fields: { waitedMs: 2_000 } });
    signal("SIGTERM");
    await vi.runAllTimersAsync();
    expect(await end).toBe(exitCodes.done);
  });

  it.each([
    ["on a terminal", {}, true, true],
    ["when asked", { printSignIn: true }, false, true],
    ["not otherwise", {}, false, false],
    ["in development mode when asked", { printSignIn: true, mode: "development" as const }, false, true],
  ])("prints a sign-in line %s", async (_title, given, isTTY, printed) => {
    const { written, parts, signal } = makeWorld(
      { ...given, agents: { shell: false, demo: false, assistants: false } },
      isTTY,
    );
    const end = serveUntilSignal(parts);
    await vi.waitUntil(() => written.length >= (printed ? 2 : 1));
    signal("SIGINT");
    expect(await end).toBe(exitCodes.done);
    expect(written).toEqual([
      "ready https://fleet.example\n",
      ...(printed ? ["sign-in https://fleet.example/#CODE\n"] : []),
    ]);
  });

  it("[CL-9] stops its agents while the server still listens, then the server, then forgets where it was", async () => {
    const { data, happened, written, parts, online, signal } = makeWorld();
    const end = serveUntilSignal(parts);
    await vi.waitUntil(() => existsSync(serverFile(data)));
    online();
    await vi.waitUntil(() => written.length > 0);
    signal("SIGTERM");
    expect(await end).toBe(exitCodes.done);
    expect(happened).toEqual(["watch closed", "agents stopped", "server closed, server.json there"]);
    expect(existsSync(serverFile(data))).toBe(false);
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });

  it("leaves another server's server.json alone", async () => {
    const { data, parts, signal } = makeWorld({ agents: { shell: false, demo: false, assistants: false } });
    const end = serveUntilSignal(parts);
    await vi.waitUntil(() => existsSync(serverFile(data)));
    writeServerRecord(data, {
      url: "http://127.0.0.1:2",
      publicUrl: "https://fleet.example",
      pid: process.pid + 1,
      version: "1",
    });
    signal("SIGTERM");
    await end;
    expect(readServerRecord(serverFile(data))?.url).toBe("http://127.0.0.1:2");
  });

  it("stops without a ready when the signal comes while it starts", async () => {
    const { data, happened, written, parts, signal } = makeWorld();
    const end = serveUntilSignal(parts);
    await vi.waitUntil(() => existsSync(serverFile(data)));
    signal("SIGTERM");
    expect(await end).toBe(exitCodes.done);
    expect(written).toEqual([]);
    expect(happened).toContain("agents stopped");
  });

  it("ends within its bound where something does not stop, and says so", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { happened, parts, signal, log } = makeWorld();
    const stuck: ServeParts = {
      ...parts,
      startAgents: () => ({ stop: () => new Promise<void>(() => {}), kill: () => void happened.push("agents killed") }),
    };
    const end = serveUntilSignal(stuck);
    await vi.advanceTimersByTimeAsync(2_000);
    signal("SIGTERM");
    await vi.advanceTimersByTimeAsync(9_499);
    expect(happened).not.toContain("agents killed");
    await vi.advanceTimersByTimeAsync(1);
    expect(await end).toBe(exitCodes.failed);
    expect(happened).toContain("agents killed");
    expect(log.events.at(-1)).toMatchObject({ level: "error", event: "server.stopLate" });
  });

  it("takes a second SIGINT for an order to end at once, but not the echo of the first", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
    onTestFinished(() => exit.mockRestore());
    const { happened, parts, signal } = makeWorld();
    const end = serveUntilSignal({
      ...parts,
      startAgents: () => ({ stop: () => new Promise<void>(() => {}), kill: () => void happened.push("agents killed") }),
    });
    await vi.advanceTimersByTimeAsync(2_000);
    signal("SIGINT");
    signal("SIGINT");
    await vi.advanceTimersByTimeAsync(repeatedSignalMsMin - 1);
    signal("SIGINT");
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    signal("SIGINT");
    expect(exit).toHaveBeenCalledWith(exitCodes.interruptedTwice);
    expect(happened).toContain("agents killed");
    await vi.runAllTimersAsync();
    await end;
  });

  it("hands on why the server could not start, and leaves no file behind", async () => {
    const { data, parts } = makeWorld();
    const refused = async () => {
      throw new StartError("Port 4400 is taken.");
    };
    await expect(serveUntilSignal({ ...parts, createServer: refused })).rejects.toThrow("Port 4400 is taken.");
    expect(existsSync(join(data, "server.json"))).toBe(false);
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });
});
