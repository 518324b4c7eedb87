import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import headless from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { keyframeBytesMax } from "../src/terminal/terminalStream.ts";
import { conflict } from "./fakeSession.ts";
import { makeAgent, makeFolder } from "./makeAgent.ts";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a shell agent", () => {
  it("runs a command as a process of its own and tells all of it, in order", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "echo $((6*7))");
    const end = await test.server.finished("c1");
    expect(end).toMatchObject({ outcome: "completed", exitCode: 0 });
    expect(test.server.output().toString()).toBe("42\r\n");
    const names = test.server.log.map(({ event }) => event);
    expect(names[0]).toBe("command.started");
    expect(names.at(-1)).toBe("command.finished");
    expect(test.server.of("terminal.output").every(({ data }) => data["command"] === "c1")).toBe(true);
    expect(test.server.of("terminal.output").every(({ data }) => data["terminal"] === "thread-1")).toBe(true);
  });

  it.each([
    ["exit 3", { outcome: "failed", exitCode: 3 }],
    ["kill -9 $$", { outcome: "failed", exitCode: 137, reason: "ended by signal 9" }],
    ["printf 'a\u0000b'", { outcome: "failed" }],
  ])("tells how %j ended", async (text, expected) => {
    await using test = await makeAgent();
    test.server.dispatch("c1", text);
    expect(await test.server.finished("c1")).toMatchObject(expected);
  });

  it("[F75] takes a text with line ends of Windows for the lines that it has", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "if true\r\nthen\r\n  echo one\r\nfi\r\nprintf 'a\\rb'");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed", exitCode: 0 });
    expect(test.server.output().toString()).toBe("one\r\na\rb");
  });

  it("[PB-5] does nothing before its claim was accepted", async () => {
    await using test = await makeAgent();
    const witness = join(test.state, "witness");
    test.server.goAway();
    test.server.dispatch("c1", `touch ${witness}; cat ${witness}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(() => readFileSync(witness)).toThrow();
    expect(test.server.welcome().open).toEqual(["c1"]);
    test.server.returns();
    await test.server.finished("c1");
    expect(readFileSync(witness).length).toBe(0);
  });

  it("[PB-5] does nothing where its claim was refused, and claims anew when it is dispatched again", async () => {
    await using test = await makeAgent();
    const witness = join(test.state, "witness");
    test.server.decide = (event) => (event.event === "command.started" ? conflict("not dispatched to you") : null);
    test.server.dispatch("c1", `echo once >> ${witness}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(() => readFileSync(witness)).toThrow();
    expect(test.server.welcome().open).toEqual([]);
    test.server.decide = () => null;
    test.server.dispatch("c1", `echo once >> ${witness}`);
    await test.server.finished("c1");
    expect(readFileSync(witness, "utf8")).toBe("once\n");
  });

  it("[OP-8] a command that is delivered again is done once", async () => {
    await using test = await makeAgent();
    const witness = join(test.state, "witness");
    for (let again = 0; again < 3; again += 1) test.server.dispatch("c1", `echo once >> ${witness}; sleep 0.1`);
    await test.server.finished("c1");
    test.server.dispatch("c1", `echo once >> ${witness}`);
    test.server.dispatch("c2", "true");
    await test.server.finished("c2");
    expect(readFileSync(witness, "utf8")).toBe("once\n");
    expect(test.server.of("command.finished")).toHaveLength(2);
  });

  it("[OP-8] stores the cursor before it acknowledges, and acknowledges before it acts", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", `cat ${join(test.state, "inbox.json")}`);
    await test.server.finished("c1");
    expect(test.server.order.slice(0, 2)).toEqual(["acknowledged 1", "command.started"]);
    expect(JSON.parse(test.server.output().toString())).toEqual({ agent: "agent-1", epoch: "epoch-1", offset: 1 });
    expect(test.server.welcome().inbox).toEqual({ epoch: "epoch-1", offset: 1 });
  });

  it("[OP-6] names in `open` what it has not finished, one at a time", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "sleep 0.3");
    test.server.dispatch("c2", "true");
    await test.server.until(() => test.server.acknowledged.at(-1)?.offset === 2);
    await test.server.until(() => test.server.of("command.started").length === 1);
    await Promise.resolve();
    expect(test.server.welcome().open).toEqual(["c1", "c2"]);
    await test.server.finished("c2");
    expect(test.server.log.map(({ event }) => event)).toEqual([
      "command.started",
      "command.finished",
      "command.started",
      "command.finished",
    ]);
    await Promise.resolve();
    expect(test.server.welcome().open).toEqual([]);
  });

  it("publishes 4 MiB of random bytes exactly, keyframes between them", async () => {
    await using test = await makeAgent();
    const bytes = randomBytes(4 << 20);
    const file = join(test.state, "random");
    writeFileSync(file, bytes);
    test.server.dispatch("c1", `stty raw -echo; cat ${file}`);
    await test.server.finished("c1");
    expect(digest(test.server.output())).toBe(digest(bytes));
    for (const { data } of test.server.of("terminal.output")) {
      expect(String(data["data"]).length).toBeLessThanOrEqual(44 * 1024);
    }
  });

  it("prints 1 MiB and exits at once, and nothing of it is lost or follows the end, 50 times", async () => {
    await using test = await makeAgent();
    const file = join(test.state, "mebibyte");
    writeFileSync(
      file,
      randomBytes(1 << 20)
        .toString("base64")
        .slice(0, 1 << 20),
    );
    for (let round = 0; round < 50; round += 1) {
      const thread = `thread-${round}`;
      test.server.dispatch(`c${round}`, `stty raw -echo; cat ${file}`, thread);
      await test.server.finished(`c${round}`);
      expect(test.server.output(`thread/${thread}`).length).toBe(1 << 20);
      expect(test.server.log.at(-1)?.event).toBe("command.finished");
      test.server.log.length = 0;
    }
  }, 90_000);

  it("[PB-4] a full buffer stops the program, and nothing is lost", async () => {
    await using test = await makeAgent();
    const file = join(test.state, "random");
    const bytes = randomBytes(1 << 20);
    writeFileSync(file, bytes);
    test.server.setAccepting(false);
    test.server.dispatch("c1", `stty raw -echo; cat ${file}; echo end >> ${join(test.state, "witness")}`);
    await test.server.until(() => test.server.of("command.started").length === 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(test.server.output().length).toBeLessThan(256 * 1024);
    expect(() => readFileSync(join(test.state, "witness"))).toThrow();
    test.server.setAccepting(true);
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed" });
    expect(digest(test.server.output())).toBe(digest(bytes));
  });

  it("[ST-10] a keyframe draws exactly the screen that the bytes before it drew", async () => {
    await using test = await makeAgent();
    // Dense in long sequences and wide characters, so that most pieces end in the middle of one.
    const line = (index: number): string => `\u001b[38;2;${index % 256};100;200;1;3;4m${index}\u001b[0m é日本 `;
    const file = join(test.state, "drawing");
    writeFileSync(file, `${Array.from({ length: 40_000 }, (_, index) => line(index)).join("")}\u001b[5;10Hhere`);
    test.server.dispatch("c1", `stty raw -echo; cat ${file}`);
    await test.server.finished("c1");
    const keyframes = test.server.of("terminal.screen");
    expect(keyframes.length).toBeGreaterThan(0);
    for (const keyframe of keyframes) {
      expect(keyframe.keyframe).toBe("terminal/thread-1");
      const drawing = Buffer.from(String(keyframe.data["data"]), "base64");
      expect(drawing.length).toBeLessThanOrEqual(keyframeBytesMax);
      const before = test.server.log.slice(0, test.server.log.indexOf(keyframe));
      const bytes = before
        .filter(({ event }) => event === "terminal.output")
        .map(({ data }) => Buffer.from(String(data["data"]), "base64"));
      expect(await drawn([drawing])).toEqual(await drawn(bytes));
      // And it is a place to go on from: what follows means the same after it as after all the bytes.
      const next = test.server.log[before.length + 1];
      if (next?.event !== "terminal.output") continue;
      const following = Buffer.from(String(next.data["data"]), "base64").subarray(0, 40);
      expect(await drawn([drawing, following])).toEqual(await drawn([...bytes, following]));
    }
  });

  it("gives children the environment without what is ours or looks like a secret", async () => {
    const environment = {
      PATH: process.env["PATH"],
      HOLDFAST_KEY: "a",
      DATABASE_URL: "b",
      BUS_DATABASE_URL: "b",
      MY_TOKEN: "c",
      api_key: "d",
      DB_PASSWORD: "e",
      CLIENT_SECRET_ID: "f",
      KEPT: "g",
    };
    await using test = await makeAgent({}, environment);
    test.server.dispatch("c1", "env");
    await test.server.finished("c1");
    const names = test.server
      .output()
      .toString()
      .split("\r\n")
      .map((line) => line.split("=")[0]);
    expect(names).toEqual(expect.arrayContaining(["KEPT", "PATH", "TERM"]));
    for (const name of [
      "HOLDFAST_KEY",
      "DATABASE_URL",
      "BUS_DATABASE_URL",
      "MY_TOKEN",
      "api_key",
      "DB_PASSWORD",
      "CLIENT_SECRET_ID",
    ])
      expect(names).not.toContain(name);
    expect(test.server.output().toString()).toContain("TERM=xterm-256color");
  });

  it("keeps the environment where it is told to", async () => {
    await using test = await makeAgent({ keepEnv: true }, { ...process.env, MY_TOKEN: "kept" });
    test.server.dispatch("c1", "echo $MY_TOKEN");
    await test.server.finished("c1");
    expect(test.server.output().toString()).toBe("kept\r\n");
  });

  it("gives what is typed to the running command", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "stty -echo; printf ready; read line; echo got $line");
    await test.server.until(() => test.server.output().includes("ready"));
    input(test, "hello\r");
    await test.server.finished("c1");
    expect(test.server.output().toString()).toBe("readygot hello\r\n");
  });

  it("opens a login shell, resizes it, types into it and tells its end", async () => {
    await using test = await makeAgent();
    const target = { thread: "thread-1", terminal: "thread-1", generation: 1 };
    test.server.send({ event: "terminal.open", data: { ...target, cols: 90, rows: 30 } });
    input(test, "stty size\r");
    await test.server.until(() => test.server.output().includes("30 90"));
    test.server.send({ event: "terminal.resized", data: { ...target, cols: 100, rows: 40 } });
    input(test, "stty size; exit 5\r");
    await test.server.until(() => test.server.of("terminal.closed").length === 1);
    expect(test.server.output().includes("40 100")).toBe(true);
    expect(test.server.of("terminal.closed")[0]?.data).toMatchObject({ terminal: "thread-1", exitCode: 5 });
    expect(test.server.log.at(-1)?.event).toBe("terminal.closed");
    expect(test.server.of("terminal.resized").map(({ data }) => data["cols"])).toEqual([90, 100]);
  });

  it("[OP-8] ignores orders to a terminal that are for another generation", async () => {
    await using test = await makeAgent();
    test.server.send({
      event: "terminal.open",
      data: { thread: "thread-1", terminal: "thread-1", generation: 2, cols: 90, rows: 24 },
    });
    test.server.dispatch("c1", "true", "thread-2");
    await test.server.finished("c1");
    expect(test.server.log.filter(({ stream }) => stream === "thread/thread-1")).toEqual([]);
    expect(test.server.acknowledged.at(-1)?.offset).toBe(2);
  });

  it("answers a device query once, by its own terminal", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "stty raw -echo min 1; printf '\\033[6n'; head -c 6 | od -c -A n");
    await test.server.finished("c1");
    expect(test.server.output().toString()).toMatch(/033 {3}\[ {3}1 {3}; {3}1 {3}R/);
  });

  it("is not held up by a program that asks and reads no answers", async () => {
    await using test = await makeAgent();
    // 2,000 queries, over 10 KiB of answers: more than the kernel keeps for a program that does not read.
    test.server.dispatch("c1", "stty raw -echo; head -c 6000 /dev/zero | tr '\\0' c | sed 's/c/\\x1b[c/g'; sleep 0.3");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed" });
    expect(test.server.output().length).toBe(18_000);
  });

  it("survives hostile output without freezing", async () => {
    await using test = await makeAgent();
    let latest = performance.now();
    let longest = 0;
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - latest);
      latest = performance.now();
    }, 20);
    test.server.dispatch(
      "c1",
      "for i in $(seq 1 200); do printf 'X\\033[2147483647b\\033[2147483647S\\033[2147483647L'; done; printf '\\033]52;c;AAAA\\007'",
    );
    await test.server.finished("c1");
    clearInterval(pulse);
    expect(longest).toBeLessThan(1_000);
    expect(test.server.output().toString()).toContain("\u001b]52;c;AAAA\u0007");
  });

  it("ends politely: a running command is told as interrupted, and the session left", async () => {
    const test = await makeAgent();
    test.server.dispatch("c1", "trap '' HUP; echo deaf; while :; do sleep 0.1; done");
    test.server.send({
      event: "terminal.open",
      data: { thread: "thread-2", terminal: "thread-2", generation: 1, cols: 80, rows: 24 },
    });
    await test.server.until(
      () => test.server.output().includes("deaf") && test.server.output("thread/thread-2").length > 0,
    );
    const started = performance.now();
    await test.agent.stop("shutdown");
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "interrupted", reason: "shutdown" });
    expect(test.server.of("terminal.closed")[0]?.data).toMatchObject({ reason: "shutdown" });
    expect(test.server.left).toBe(true);
    expect(await test.agent.stopped).toMatchObject({ reason: "stopped" });
    rmSync(test.state, { recursive: true });
  });

  it("ends what it runs when a newer process took over", async () => {
    const test = await makeAgent();
    test.server.dispatch("c1", "echo $$; exec sleep 1000");
    await test.server.until(() => test.server.output().includes("\n"));
    const pid = Number(test.server.output().toString());
    test.server.stop("fenced");
    expect(await test.agent.stopped).toMatchObject({ reason: "fenced" });
    expect(() => process.kill(pid, 0)).toThrow();
    rmSync(test.state, { recursive: true });
  });

  it("goes on without the server, and tells everything when it is back", async () => {
    await using test = await makeAgent();
    test.server.dispatch("c1", "for i in $(seq 1 30); do echo line $i; sleep 0.01; done");
    await test.server.until(() => test.server.output().includes("line 3\r"));
    test.server.goAway();
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(test.server.of("command.finished")).toEqual([]);
    test.server.returns();
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed" });
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}\r\n`).join("");
    expect(test.server.output().toString()).toBe(lines);
  });

  it("ends when its state folder is removed", async () => {
    const test = await makeAgent({ state: join(makeFolder(), "state") });
    rmSync(test.state, { recursive: true });
    expect((await test.agent.stopped).message).toContain("was removed");
  }, 15_000);
});

function input(test: Awaited<ReturnType<typeof makeAgent>>, text: string): void {
  const data = { thread: "thread-1", terminal: "thread-1", generation: 1, data: Buffer.from(text).toString("base64") };
  test.server.send({ event: "terminal.input", data });
}

/** The visible screen and the cursor after `chunks`. */
async function drawn(chunks: readonly Uint8Array[]): Promise<unknown> {
  const terminal = new headless.Terminal({
    cols: 80,
    rows: 24,
    scrollback: 2_000,
    allowProposedApi: true,
    logLevel: "off",
  });
  for (const chunk of chunks) await new Promise<void>((resolve) => terminal.write(chunk, resolve));
  const { baseY, cursorX, cursorY } = terminal.buffer.active;
  const lines = Array.from({ length: 24 }, (_, row) =>
    terminal.buffer.active.getLine(baseY + row)?.translateToString(true),
  );
  terminal.dispose();
  return { lines, cursorX, cursorY };
}
