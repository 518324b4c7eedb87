import headless from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { makeAgent } from "./makeAgent.ts";

const environment = { PATH: process.env["PATH"], PS1: "$ ", HOME: "/nonexistent" };
/** A shell of a few lines that gives shell-integration marks. */
const marking = String.raw`
stty -echo
while printf '\033]133;A\007> \033]133;B\007' && IFS= read -r line; do
  printf '\033]133;C\007'; eval "$line"; printf '\033]133;D;%d\007' $?
done`;

describe("a program agent", () => {
  it("types a command into `sh -i` and infers its end from quiet", async () => {
    await using test = await makeAgent({ kind: "terminal", command: ["/bin/sh", "-i"] }, environment);
    test.server.dispatch("c1", "echo $((6*7))");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed", inferred: true });
    expect(test.server.output().toString()).toContain("42\r\n");
    expect(Number((await test.server.finished("c1"))["durationMs"])).toBeGreaterThanOrEqual(1_500);
  });

  it("types a command into `cat`", async () => {
    await using test = await makeAgent({ kind: "terminal", command: ["cat"] }, environment);
    test.server.dispatch("c1", "hello");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed", inferred: true });
    expect(test.server.output().toString()).toBe("hello\r\nhello\r\n");
  });

  it("takes the end from marks where the program gives them, however long it is quiet", async () => {
    await using test = await makeAgent({ kind: "terminal", command: ["/bin/sh", "-c", marking] }, environment);
    test.server.dispatch("c1", "echo one; sleep 1.8; echo two");
    const end = await test.server.finished("c1");
    expect(end).toMatchObject({ outcome: "completed", exitCode: 0 });
    expect(end["inferred"]).toBeUndefined();
    test.server.dispatch("c2", "(exit 3)");
    expect(await test.server.finished("c2")).toMatchObject({ outcome: "failed", exitCode: 3 });
    const labelled = (command: string | undefined): string =>
      Buffer.concat(
        test.server
          .of("terminal.output")
          .filter(({ data }) => data["command"] === command)
          .map(({ data }) => Buffer.from(String(data["data"]), "base64")),
      ).toString();
    // Everything up to the end mark is the command's; the prompt after it is nobody's.
    expect(labelled("c1").endsWith("\u001b]133;C\u0007one\r\ntwo\r\n\u001b]133;D;0\u0007")).toBe(true);
    expect(labelled(undefined)).toContain("\u001b]133;A\u0007> \u001b]133;B\u0007");
  });

  it("begins a thread with the screen as it is, and turns from thread to thread", async () => {
    await using test = await makeAgent(
      { kind: "terminal", command: ["/bin/sh", "-c", `printf greeting; ${marking}`] },
      environment,
    );
    test.server.dispatch("c1", "echo first", "thread-1");
    await test.server.finished("c1");
    test.server.dispatch("c2", "echo second", "thread-2");
    await test.server.finished("c2");
    const screens = test.server.of("terminal.screen");
    expect(screens.map(({ stream }) => stream)).toEqual(["thread/thread-1", "thread/thread-2"]);
    expect(await shown(screens[1]?.data["data"])).toContain("first");
    expect(test.server.output("thread/thread-1").toString()).not.toContain("second");
    expect(test.server.output("thread/thread-2").toString()).toContain("second");
  });

  it("lets a person watch and type: opening a terminal shows the program", async () => {
    await using test = await makeAgent({ kind: "terminal", command: ["/bin/sh", "-i"] }, environment);
    const target = { thread: "thread-1", terminal: "thread-1", generation: 1 };
    test.server.send(
      { event: "terminal.open", data: { ...target, cols: 100, rows: 40 } },
      { event: "terminal.input", data: { ...target, data: Buffer.from("stty size\r").toString("base64") } },
    );
    await test.server.until(() => test.server.output().includes("40 100"));
    expect(test.server.of("terminal.screen")).toHaveLength(1);
  });

  it("the program's exit ends a running command, and the agent", async () => {
    const test = await makeAgent({ kind: "terminal", command: ["/bin/sh", "-c", marking] }, environment);
    test.server.dispatch("c1", "exit 4");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "failed", exitCode: 4 });
    expect(await test.agent.stopped).toEqual({
      reason: "stopped",
      message: "The program /bin/sh ended with exit code 4.",
    });
    expect(test.server.of("terminal.closed")[0]?.data).toMatchObject({ terminal: "thread-1", exitCode: 4 });
    expect(test.server.left).toBe(true);
  });

  it("ends its program and tells the running command as interrupted when it is stopped", async () => {
    const test = await makeAgent({ kind: "terminal", command: ["/bin/sh", "-c", marking] }, environment);
    test.server.dispatch("c1", "echo begun; sleep 1000");
    await test.server.until(() => test.server.output().includes("begun"));
    await test.agent.stop("shutdown");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "interrupted", reason: "shutdown" });
  });
});

describe("the demo agent", () => {
  it("performs its script, says what it is, and completes", async () => {
    await using test = await makeAgent({ kind: "custom", name: "demo" });
    test.server.dispatch("c1", "make \u001b[31mcoffee");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed", exitCode: 0 });
    const output = test.server.output().toString();
    expect(output).toContain("no model, no key, nothing is executed");
    expect(output).toContain("make  [31mcoffee");
    expect(test.server.of("command.progress")).toHaveLength(4);
    expect(test.server.log.at(-1)?.event).toBe("command.finished");
  });

  it("is interrupted by a stop", async () => {
    const test = await makeAgent({ kind: "custom", name: "demo" });
    test.server.dispatch("c1", "anything");
    await test.server.until(() => test.server.of("command.progress").length > 0);
    await test.agent.stop("shutdown");
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "interrupted", reason: "shutdown" });
  });

  it("[PB-4] waits while the buffer is full", async () => {
    await using test = await makeAgent({ kind: "custom", name: "demo" });
    test.server.dispatch("c1", "anything");
    await test.server.until(() => test.server.of("command.progress").length > 0);
    test.server.setAccepting(false);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = test.server.log.length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(test.server.log.length).toBe(before);
    test.server.setAccepting(true);
    expect(await test.server.finished("c1")).toMatchObject({ outcome: "completed" });
  });
});

async function shown(data: unknown): Promise<string> {
  const terminal = new headless.Terminal({ cols: 80, rows: 24, allowProposedApi: true, logLevel: "off" });
  await new Promise<void>((resolve) => terminal.write(Buffer.from(String(data), "base64"), resolve));
  const lines = Array.from(
    { length: 24 },
    (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? "",
  );
  terminal.dispose();
  return lines.join("\n");
}
