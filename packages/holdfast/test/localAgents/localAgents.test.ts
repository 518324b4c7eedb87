/** The agents of one server's start: keys, arguments, and a stop that leaves nobody behind. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import type { Config } from "../../src/config/fields.ts";
import { readKey, writeKey } from "../../src/files/keyFile.ts";
import { isProcessLocked } from "../../src/files/processLock.ts";
import { loginEnvironment } from "../../src/localAgents/loginEnvironment.ts";
import { localParts, startLocalAgents } from "../../src/serve/localAgents.ts";
import { until } from "../../src/shell/wait.ts";
import { makeCollectedLog } from "../support/collectedLog.ts";
import { makeFolder } from "../support/folders.ts";

const fakeAgent = fileURLToPath(new URL("../support/fakeAgent.ts", import.meta.url));
const agents = { shell: true, demo: true, assistants: false };

function start(
  data: string,
  { mode = "local", behaviour = "good" }: { mode?: Config["mode"]; behaviour?: string } = {},
) {
  const made: string[] = [];
  const config = { data, mode, agents } as Config;
  const started = startLocalAgents(localParts(agents), {
    config,
    version: "1",
    environment: process.env,
    directory: data,
    log: makeCollectedLog(),
    agentKey: async (name) => {
      made.push(name);
      return "second";
    },
    program: [process.execPath, fakeAgent, behaviour, "1"],
  });
  onTestFinished(() => started.kill());
  return { started, made };
}

const folders = (data: string) => [join(data, "agent", "shell"), join(data, "agent", "demo")];
const allLocked = (data: string) => folders(data).every((folder) => isProcessLocked(folder));

it.each(["local", "production"] as const)(
  "gives each a key of its own at its first start only, and stops them together: %s",
  async (mode) => {
    const data = makeFolder();
    const first = start(data, { mode });
    expect(await until(() => allLocked(data), { msMax: 10_000, everyMs: 20 })).toBe(true);
    expect(first.made).toHaveLength(2);
    for (const folder of folders(data)) expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
    await first.started.stop(5_000);
    expect(folders(data).some((folder) => isProcessLocked(folder))).toBe(false);

    const second = start(data, { mode });
    expect(await until(() => allLocked(data), { msMax: 10_000, everyMs: 20 })).toBe(true);
    expect(second.made).toEqual([]);
    await second.started.stop(5_000);
  },
);

it("gives none in development mode", async () => {
  const data = makeFolder();
  const { started, made } = start(data, { mode: "development" });
  expect(await until(() => allLocked(data), { msMax: 10_000, everyMs: 20 })).toBe(true);
  expect(made).toEqual([]);
  expect(folders(data).some((folder) => existsSync(join(folder, "key")))).toBe(false);
  await started.stop(5_000);
});

it("replaces a key that the server no longer accepts, once", async () => {
  const data = makeFolder();
  for (const folder of folders(data)) writeKey(folder, "first");
  const { started, made } = start(data, { behaviour: "refused" });
  expect(
    await until(() => allLocked(data) && folders(data).every((folder) => readKey(folder) === "second"), {
      msMax: 10_000,
      everyMs: 20,
    }),
  ).toBe(true);
  expect(made).toHaveLength(2);
  await started.stop(5_000);
});

it("leaves nobody behind when it is stopped while it starts", async () => {
  const data = makeFolder();
  const { started } = start(data);
  await started.stop(5_000);
  const logs = folders(data)
    .filter((folder) => existsSync(join(folder, "log")))
    .map((folder) => readFileSync(join(folder, "log"), "utf8"));
  expect(folders(data).some((folder) => isProcessLocked(folder))).toBe(false);
  // Whoever came so far as to run was also stopped.
  for (const log of logs.filter((text) => text.includes("running"))) expect(log).toContain("stopped politely");
});

it("is born with the person's environment, without npm's additions and without a person's key", () => {
  const environment = {
    PATH: "/repo/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/usr/bin:/opt/nodes/bin",
    npm_lifecycle_event: "start",
    npm_config_ignore_scripts: "true",
    INIT_CWD: "/repo",
    HOLDFAST_KEY: "hfk_x",
    LANG: "C",
  };
  expect(loginEnvironment(environment)).toEqual({ PATH: "/usr/bin:/opt/nodes/bin", LANG: "C" });
  expect(loginEnvironment({ PATH: "/a/node_modules/.bin", LANG: "C" })).toEqual({
    PATH: "/a/node_modules/.bin",
    LANG: "C",
  });
});
