/** The store of each released version, opened by this one; and a store that this one must not open. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { exitCodes } from "../src/commandLine/exitCodes.ts";
import { makeFolder } from "./support/folders.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
const testMsMax = 60_000;
const oneSentence = /^[^\n]*\.\n$/;
const versions = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** A data folder as that version left it. */
function folderOf(version: string): string {
  const data = join(makeFolder(), "data");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, "holdfast.db"), gunzipSync(readFileSync(join(fixtures, version, "holdfast.db.gz"))));
  return data;
}

const parametersOf = (data: string): string[] => [
  main,
  "serve",
  "--mode",
  "development",
  "--port",
  "0",
  "--data",
  data,
];
const environment = (): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !/^HOLDFAST_|^NODE_ENV$|^DATABASE_URL$/.test(name));
  return {
    ...Object.fromEntries(own),
    HOLDFAST_AGENTS_SHELL: "false",
    HOLDFAST_AGENTS_DEMO: "false",
    HOLDFAST_AGENTS_ASSISTANTS: "false",
  };
};

/** Its address, once it is ready. */
async function serve(data: string): Promise<string> {
  const child = spawn(process.execPath, parametersOf(data), { stdio: ["ignore", "pipe", "pipe"], env: environment() });
  running.push(child);
  return await new Promise<string>((resolve, reject) => {
    let output = "";
    let errors = "";
    child.stdout.on("data", (part) => {
      output += part;
      const ready = /^ready (\S+)$/m.exec(output);
      if (ready?.[1] !== undefined) resolve(ready[1]);
    });
    child.stderr.on("data", (part) => {
      errors += part;
    });
    child.once("exit", () => reject(new Error(`the server ended: ${errors}`)));
  });
}

type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Says hello with these subscriptions, and gives the messages up to the one that `isLast`. */
async function hear(url: string, hello: object, isLast: (message: Message) => boolean): Promise<readonly Message[]> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["holdfast.v1"]);
  const heard: Message[] = [];
  try {
    return await new Promise((resolve, reject) => {
      const client = { name: "test", version: "1" };
      const whole = { type: "hello", protocol: 1, instance: randomUUID(), attempt: 1, client, visible: true, ...hello };
      socket.onopen = () => socket.send(JSON.stringify([whole]));
      socket.onmessage = ({ data }) => {
        heard.push(...(JSON.parse(String(data)) as Message[]));
        if (heard.some(isLast)) resolve(heard);
      };
      socket.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`));
    });
  } finally {
    socket.onclose = null;
    socket.close(1000);
  }
}

interface Kept {
  readonly thread: string;
  readonly agent: string;
  readonly head: number;
  readonly epoch: string;
}

/** What the store's own file says, past the server. */
function keptIn(data: string): Kept {
  const database = new DatabaseSync(join(data, "holdfast.db"), { readOnly: true });
  try {
    const row = database.prepare("select name, head, epoch from streams where name like 'thread/%'").get() as {
      name: string;
      head: number;
      epoch: string;
    };
    const agent = (database.prepare("select id from agents where name = 'builder'").get() as { id: string }).id;
    return { thread: row.name, agent, head: row.head, epoch: row.epoch };
  } finally {
    database.close();
  }
}

describe.each(versions)("the data folder of %s", (version) => {
  it("is opened: its agents, its threads and every event are there, under the same epoch", {
    timeout: testMsMax,
  }, async () => {
    const data = folderOf(version);
    const before = keptIn(data);
    const url = await serve(data);
    const subscribe = [
      { stream: "fleet", sub: 1, from: "latest" },
      { stream: before.thread, sub: 2, from: "start" },
    ];
    const heard = await hear(
      url,
      { subscribe },
      ({ type, stream, offset, events }) =>
        type === "events" && stream === before.thread && Number(offset) + (events as unknown[]).length > before.head,
    );
    const fleet = heard.find(({ type, stream }) => type === "snapshot" && stream === "fleet");
    expect(fleet).toMatchObject({ data: { agents: [{ id: before.agent, name: "builder" }] } });
    const subscribed = heard.find(({ type, stream }) => type === "subscribed" && stream === before.thread);
    expect(subscribed).toMatchObject({ epoch: before.epoch, offset: 0 });
    expect(subscribed).not.toHaveProperty("reset");
    const events = heard.flatMap((message) =>
      message.type === "events" && message["stream"] === before.thread
        ? (message["events"] as { event: string; data: Readonly<Record<string, unknown>> }[])
        : [],
    );
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(["command.queued", "command.finished"]));
    const printed = events.find(({ event }) => event === "terminal.output")?.data["data"];
    expect(Buffer.from(String(printed), "base64").toString()).toBe("kept\r\n");
  });

  it("is refused where a newer program has written it: one sentence, exit 2, nothing touched", {
    timeout: testMsMax,
  }, () => {
    const data = folderOf(version);
    const file = join(data, "holdfast.db");
    const database = new DatabaseSync(file);
    database.exec(
      "insert into kysely_migration (name, timestamp) values ('zz-999-tomorrow', '2099-01-01T00:00:00.000Z')",
    );
    database.close();
    const hash = (): string => createHash("sha256").update(readFileSync(file)).digest("hex");
    const before = hash();
    const { status, stderr, stdout } = spawnSync(process.execPath, parametersOf(data), {
      encoding: "utf8",
      timeout: testMsMax,
      env: environment(),
    });
    expect({ status, stdout }).toEqual({ status: exitCodes.wrongUse, stdout: "" });
    expect(stderr).toMatch(oneSentence);
    expect(stderr).toContain('a newer program has written it (it has "zz-999-tomorrow"');
    expect(hash()).toBe(before);
  });
});

it("there is a data folder of at least one released version", () => {
  expect(versions.length).toBeGreaterThan(0);
});
