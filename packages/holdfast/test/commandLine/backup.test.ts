/** `holdfast backup` and `holdfast restore` as processes, with a server of their own between them. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { exitCodes } from "../../src/commandLine/exitCodes.ts";
import { makeFolder } from "../support/folders.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const processMsMax = 20_000;
const oneSentence = /^[^\n]*\.\n$/;
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

function run(...argv: string[]) {
  const result = spawnSync(process.execPath, [main, ...argv], {
    encoding: "utf8",
    timeout: processMsMax,
    env: environment(),
  });
  return { code: result.status, output: result.stdout, errors: result.stderr };
}

const environment = (): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !/^HOLDFAST_|^NODE_ENV$|^DATABASE_URL$/.test(name));
  return {
    ...Object.fromEntries(own),
    HOLDFAST_AGENTS_SHELL: "false",
    HOLDFAST_AGENTS_DEMO: "false",
    HOLDFAST_AGENTS_ASSISTANTS: "false",
  };
};

/** A server without local agents; its address, and its polite end. */
async function serve(data: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const argv = [main, "serve", "--mode", "development", "--port", "0", "--data", data];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"], env: environment() });
  running.push(child);
  let errors = "";
  child.stderr.on("data", (part) => {
    errors += part;
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (part) => {
      output += part;
      const ready = /^ready (\S+)$/m.exec(output);
      if (ready?.[1] !== undefined) resolve(ready[1]);
    });
    void ended.then(() => reject(new Error(`the server ended: ${errors}`)));
  });
  return {
    url,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Says hello with these fields, and gives the first message of a type. */
async function ask(url: string, hello: object, type: string): Promise<Message> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["holdfast.v1"]);
  try {
    return await new Promise<Message>((resolve, reject) => {
      const client = { name: "test", version: "1" };
      const whole = { type: "hello", protocol: 1, instance: randomUUID(), attempt: 1, client, visible: true, ...hello };
      socket.onopen = () => socket.send(JSON.stringify([whole]));
      socket.onmessage = ({ data }) => {
        const found = (JSON.parse(String(data)) as Message[]).find((message) => message.type === type);
        if (found !== undefined) resolve(found);
      };
      socket.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason} before \`${type}\``));
    });
  } finally {
    socket.onclose = null;
    socket.close(1000);
  }
}

/** A new agent: an event in `fleet`. */
const enrol = (url: string, name: string): Promise<Message> =>
  ask(
    url,
    { agent: { name, kind: "custom", host: "test", capabilities: [], process: randomUUID(), open: [] } },
    "welcome",
  );
const read = (url: string, from: unknown): Promise<Message> =>
  ask(url, { subscribe: [{ stream: "fleet", sub: 1, from }] }, "subscribed");

describe("holdfast backup and restore", () => {
  it("[ST-15] brings a store back under new epochs: a reader with an old cursor is told", {
    timeout: 90_000,
  }, async () => {
    const folder = makeFolder();
    const [data, file] = [join(folder, "data"), join(folder, "backup")];
    const first = await serve(data);
    await enrol(first.url, "before");
    const known = await read(first.url, "start");
    expect(run("backup", file, "--data", data)).toMatchObject({ code: exitCodes.done, errors: "" });
    await enrol(first.url, "after");
    const reached = await read(first.url, "start");
    expect(Number(reached["head"])).toBeGreaterThan(Number(known["head"]));

    const refused = run("restore", file, "--data", data);
    expect(refused).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(refused.errors).toBe(`The data folder ${data} is in use by a running Holdfast; stop it first.\n`);
    await first.stop();

    const restored = run("restore", file, "--data", data);
    expect(restored.code).toBe(exitCodes.done);
    expect(restored.output).toMatch(/^restored \d+ streams, each under a new epoch\nkept .*before-restore\n$/);
    const second = await serve(data);
    const cursor = { epoch: known["epoch"], offset: known["head"] };
    const answer = await read(second.url, cursor);
    expect(answer).toMatchObject({ reset: "epoch", snapshot: 1 });
    expect(answer["epoch"]).not.toBe(known["epoch"]);
    const { data: snapshot } = await ask(
      second.url,
      { subscribe: [{ stream: "fleet", sub: 1, from: cursor }] },
      "snapshot",
    );
    expect(snapshot).toMatchObject({ agents: [{ name: "before" }] });
    await second.stop();
  });

  it.each<[string[], string]>([
    [["backup"], "A file is missing"],
    [["restore"], "A file is missing"],
    [["backup", "a", "b"], '"b"'],
    [["backup", "a", "--colour", "red"], '"--colour"'],
    [["backup", "/dev/null/x", "--data", "/dev/null/y"], "There is no store"],
    [["restore", "/dev/null/x"], "cannot be read (ENOTDIR)"],
    [["restore", main], "not a whole backup"],
  ])("%j exits 2 with one sentence that says %s", (argv, part) => {
    const data = join(makeFolder(), "data");
    const result = run(...argv, ...(argv.includes("--data") ? [] : ["--data", data]));
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toContain(part);
    expect(result.errors).toMatch(oneSentence);
    expect(existsSync(join(data, "holdfast.db"))).toBe(false);
  });

  it("says whose tool it takes where the store is a PostgreSQL database, wherever that is set", () => {
    const data = join(makeFolder(), "data");
    mkdirSync(data);
    writeFileSync(join(data, "config.json"), '{ "database": { "url": "postgres://user:secret@db.example/holdfast" } }');
    for (const [command, tool] of [
      ["backup", "pg_dump"],
      ["restore", "pg_restore"],
    ] as const) {
      const result = run(command, join(data, "file"), "--data", data);
      expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
      expect(result.errors).toContain(tool);
      expect(result.errors).not.toContain("secret");
      expect(result.errors).toMatch(oneSentence);
    }
  });

  it("serve refuses a store of a newer program with one sentence and exit 2, and touches nothing", {
    timeout: 60_000,
  }, async () => {
    const data = join(makeFolder(), "data");
    await (await serve(data)).stop();
    const database = new DatabaseSync(join(data, "holdfast.db"));
    database.exec("insert into kysely_migration values ('control-999-later', '2099-01-01')");
    database.close();
    const result = run("serve", "--port", "0", "--data", data);
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toMatch(oneSentence);
    expect(result.errors).toContain('it has "control-999-later"');
  });
});
