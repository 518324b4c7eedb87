/** What an agent may say of its work: rights, claims, grammar, poison. */
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { CommandOutcome } from "../contract/index.ts";
import { codes, finished, type LoggedEvent, openControl, output, person, refusal, started } from "./support/control.ts";

async function withCommand() {
  const control = await openControl();
  const agent = await control.hello();
  const { command, thread } = await control.call("command.send", { agent: agent.id, text: "run" });
  return { control, agent, command, thread };
}

describe("who may publish (PB-1)", () => {
  it("[F26] only the agent of the thread, whatever it says of itself", async () => {
    const { control, agent, thread, command } = await withCommand();
    const other = await control.hello({ name: "other" });
    const before = await control.events(`thread/${thread}`);
    expect(await refusal(control.publish(other, thread, [started(command)]))).toBe("forbidden");
    expect(await refusal(control.publish(agent, control.newId(), [started(command)]))).toBe("forbidden");
    const posing = { principal: person("default", agent.id), generation: agent.generation };
    expect(await refusal(control.publish(posing, thread, [started(command)]))).toBe("forbidden");
    const elsewhere = { ...agent, principal: { ...agent.principal, workspace: "other" } };
    expect(await refusal(control.publish(elsewhere, thread, [started(command)]))).toBe("forbidden");
    expect(await control.events(`thread/${thread}`)).toEqual(before);
  });

  it("[F26] an agent reaches no command of another thread", async () => {
    const { control, agent, command } = await withCommand();
    const { thread } = await control.call("thread.create", { agent: agent.id });
    expect(codes(await control.publish(agent, thread.id, [started(command)]))).toEqual(["not_found"]);
  });
});

describe("where the table of agents cannot be read", () => {
  it("[OP-7] output of what runs passes, an older process is fenced, and an end passes when it can be read", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    const newer = await control.hello({ id: agent.id, open: [command] });
    await sql`alter table agents rename to agents_hidden`.execute(control.db);
    expect(codes(await control.publish(newer, thread, [output(thread, "tick", command)]))).toEqual([null]);
    expect(await refusal(control.publish(agent, thread, [output(thread, "tock", command)]))).toBe("fenced");
    await expect(control.publish(newer, thread, [finished(command)])).rejects.toThrow();
    await sql`alter table agents_hidden rename to agents`.execute(control.db);
    expect(codes(await control.publish(newer, thread, [finished(command)]))).toEqual([null]);
  });
});

describe("claim before effect (PB-5)", () => {
  it("[PB-5] a command is claimed once, in one publish or in two", async () => {
    const { control, agent, command, thread } = await withCommand();
    expect(codes(await control.publish(agent, thread, [started(command), started(command)]))).toEqual([
      null,
      "conflict",
    ]);
    expect(codes(await control.publish(agent, thread, [started(command)]))).toEqual(["conflict"]);
    const claims = (await control.events(`thread/${thread}`)).filter(({ event }) => event === "command.started");
    expect(claims).toHaveLength(1);
  });

  it("[PB-5] only where it was dispatched: not while it waits, not after its end", async () => {
    const { control, agent, command, thread } = await withCommand();
    const waiting = await control.call("command.send", { thread, text: "next" });
    expect(await control.publish(agent, thread, [started(waiting.command)])).toMatchObject([
      { code: "conflict", details: { state: "queued" } },
    ]);
    await control.publish(agent, thread, [started(command), finished(command)]);
    expect(codes(await control.publish(agent, thread, [started(command)]))).toEqual(["conflict"]);
    expect(codes(await control.publish(agent, thread, [started(control.newId())]))).toEqual(["not_found"]);
  });

  it("[A3] [PB-5] only by the current generation", async () => {
    const { control, agent, command, thread } = await withCommand();
    const newer = await control.hello({ id: agent.id });
    expect(await refusal(control.publish(agent, thread, [started(command)]))).toBe("fenced");
    expect(codes(await control.publish(newer, thread, [started(command)]))).toEqual([null]);
  });

  it("[PB-5] nothing of a command before its claim", async () => {
    const { control, agent, command, thread } = await withCommand();
    const early = [
      output(thread, "x", command),
      finished(command),
      { event: "command.progress", data: { command, text: "…" } },
      { event: "message.started", data: { command, message: "m" } },
      { event: "note", data: { command, text: "n" } },
    ];
    expect(codes(await control.publish(agent, thread, early))).toEqual(early.map(() => "conflict"));
    expect(await control.fleet()).toMatchObject([{ command, activity: "idle" }]);
  });
});

describe("poison (PB-2)", () => {
  it("[PB-2] is named and never blocks what surrounds it", async () => {
    const { control, agent, command, thread } = await withCommand();
    const poison: [string, unknown, string?][] = [
      ["no.such.event", {}],
      ["toString", {}],
      ["__proto__", {}],
      ["command.queued", { command, text: "forged", position: 0, sentBy: "ada" }],
      ["command.dispatched", { command }],
      ["command.progress", null],
      ["command.progress", [command]],
      ["command.progress", { command, text: 1 }],
      ["command.progress", { command: "c".repeat(65), text: "x" }],
      ["terminal.output", { terminal: thread, data: "not base64!" }],
      ["terminal.output", { terminal: thread, data: "QQ" }],
      ["terminal.output", { terminal: thread }],
      ["terminal.output", { terminal: "other", data: "QUJD" }],
      ["terminal.output", { terminal: thread, data: "QUJD" }, `terminal/${thread}`],
      ["terminal.screen", { terminal: thread, cols: 0, rows: 24, data: "" }],
      ["terminal.screen", { terminal: thread, cols: 80, rows: 24, data: "" }, "terminal/other"],
      ["command.finished", { command, outcome: "expired", durationMs: 1 }],
      ["command.finished", { command, outcome: "COMPLETED", durationMs: 1 }],
      ["text.delta", { command, message: "never started", text: "x" }],
    ];
    await control.publish(agent, thread, [started(command)]);
    const before = (await control.events(`thread/${thread}`)).length;
    const events = poison.flatMap(([event, data, keyframe], index) => [
      { event, data, ...(keyframe === undefined ? {} : { keyframe }) },
      output(thread, `line ${index}`, command),
    ]);
    const verdicts = codes(await control.publish(agent, thread, events));
    expect(verdicts.filter((_, index) => index % 2 === 1)).toEqual(poison.map(() => null));
    expect(verdicts.filter((_, index) => index % 2 === 0).every((verdict) => verdict !== null)).toBe(true);
    const logged = (await control.events(`thread/${thread}`)).slice(before);
    expect(logged.map(({ data }) => data)).toEqual(
      poison.map((_, index) => output(thread, `line ${index}`, command).data),
    );
    expect(codes(await control.publish(agent, thread, [finished(command)]))).toEqual([null]);
  });

  it("[TR-5] unknown fields are dropped, not passed on", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [{ event: "command.started", data: { command, agent: "forged", extra: 1 } }]);
    expect((await control.events(`thread/${thread}`)).at(-1)).toEqual({ event: "command.started", data: { command } });
  });

  it("[ST-10] keyframes get their scope from what they are", async () => {
    const { control, agent, command, thread } = await withCommand();
    const verdicts = await control.publish(agent, thread, [
      started(command),
      { event: "terminal.screen", data: { terminal: thread, cols: 80, rows: 24, data: "" } },
      {
        event: "terminal.screen",
        data: { terminal: thread, cols: 80, rows: 24, data: "" },
        keyframe: `terminal/${thread}`,
      },
      { event: "message.started", data: { command, message: "m" } },
      { event: "message.finished", data: { command, message: "m", text: "hi" } },
    ]);
    expect(codes(verdicts)).toEqual([null, null, null, null, null]);
    const frames = (await control.events(`thread/${thread}`)).map(({ keyframe }) => keyframe).filter(Boolean);
    expect(frames).toEqual([`terminal/${thread}`, `terminal/${thread}`, "message/m"]);
  });
});

describe("the grammar of a thread (F44)", () => {
  const outcomes: CommandOutcome[] = ["completed", "failed", "interrupted", "lost"];
  it.each(outcomes)(
    "[F44] a command that ends as %s has one start and one end, and nothing after it",
    async (outcome) => {
      const { control, agent, command, thread } = await withCommand();
      control.clock.now += 10;
      await control.publish(agent, thread, [
        started(command),
        output(thread, "a", command),
        finished(command, outcome, { reason: "why\0", exitCode: 3 }),
      ]);
      const late = [
        output(thread, "b", command),
        finished(command),
        started(command),
        { event: "command.progress", data: { command, text: "x" } },
        { event: "note", data: { command, text: "x" } },
        { event: "message.started", data: { command, message: "m" } },
      ];
      expect(codes(await control.publish(agent, thread, late))).toEqual(late.map(() => "conflict"));
      expectGrammar(await control.events(`thread/${thread}`));
      const row = await control.db
        .selectFrom("commands")
        .select(["outcome", "reason", "exit_code", "duration_ms", "finished_at"])
        .where("id", "=", command)
        .executeTakeFirstOrThrow();
      expect(row).toEqual({
        outcome,
        reason: "why\ufffd",
        exit_code: 3,
        duration_ms: 5,
        finished_at: control.clock.now,
      });
      expect(await control.fleet()).toMatchObject([{ command: null, activity: "idle" }]);
      expect((await control.threads())[0]?.activeAt).toBe(control.clock.now);
    },
  );

  it("[F44] a message has one start and one end, within its command", async () => {
    const { control, agent, command, thread } = await withCommand();
    const start = { event: "message.started", data: { command, message: "m" } };
    const delta = { event: "text.delta", data: { command, message: "m", text: "h" } };
    const end = { event: "message.finished", data: { command, message: "m", text: "hi" } };
    expect(codes(await control.publish(agent, thread, [started(command), delta, end]))).toEqual([
      null,
      "conflict",
      "conflict",
    ]);
    expect(codes(await control.publish(agent, thread, [start, start, delta]))).toEqual([null, "conflict", null]);
    expect(codes(await control.publish(agent, thread, [start, delta, end, end, delta]))).toEqual([
      "conflict",
      null,
      null,
      "conflict",
      "conflict",
    ]);
    const open = { event: "message.started", data: { command, message: "left open" } };
    expect(codes(await control.publish(agent, thread, [start, open, finished(command)]))).toEqual([
      "conflict",
      null,
      null,
    ]);
    const after = { event: "text.delta", data: { command, message: "left open", text: "x" } };
    expect(codes(await control.publish(agent, thread, [after]))).toEqual(["conflict"]);
  });

  it("[F44] a message belongs to the command that started it", async () => {
    const control = await openControl();
    const agent = await control.hello({ capabilities: ["concurrency:2"] });
    const one = await control.call("command.send", { agent: agent.id, text: "1" });
    const two = await control.call("command.send", { thread: one.thread, text: "2" });
    const verdicts = await control.publish(agent, one.thread, [
      started(one.command),
      started(two.command),
      { event: "message.started", data: { command: one.command, message: "m" } },
      { event: "text.delta", data: { command: two.command, message: "m", text: "x" } },
    ]);
    expect(codes(verdicts)).toEqual([null, null, null, "conflict"]);
  });

  it("[F44] nothing of an interactive terminal follows its end", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    const closed = { event: "terminal.closed", data: { terminal: thread.id, exitCode: 0 } };
    expect(
      codes(await control.publish(agent, thread.id, [output(thread.id, "$"), closed, output(thread.id, "x")])),
    ).toEqual([null, null, "conflict"]);
    expect(codes(await control.publish(agent, thread.id, [closed, output(thread.id, "x")]))).toEqual([
      "conflict",
      "conflict",
    ]);
    const write = { thread: thread.id, terminal: thread.id, data: "QQ==" };
    expect(await refusal(control.call("terminal.write", write))).toBe("conflict");
  });

  it("the hot case costs few queries, however many events it has", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    const burst = (count: number) => Array.from({ length: count }, (_, line) => output(thread, `${line}`, command));
    const ofOne = await control.countQueries(() => control.publish(agent, thread, burst(1)));
    // Two of ours (thread with its agent, the command), two of the store's (the producer's row, read and kept).
    expect(ofOne).toBe(4);
    expect(await control.countQueries(() => control.publish(agent, thread, burst(500)))).toBe(ofOne);
  });
});

/** Every start has one end, nothing before the one or after the other names the command. */
export function expectGrammar(events: readonly LoggedEvent[]): void {
  const commands = new Set(events.map(({ data }) => data["command"]).filter((id) => typeof id === "string"));
  for (const command of commands) {
    const own = events.filter(({ data }) => data["command"] === command).map(({ event }) => event);
    expect(own[0]).toBe("command.queued");
    expect(own.filter((event) => event === "command.started").length).toBeLessThanOrEqual(1);
    expect(own.filter((event) => event === "command.finished")).toHaveLength(1);
    expect(own.at(-1)).toBe("command.finished");
    const work = own.slice(1, -1).filter((event) => event !== "command.dispatched");
    if (work.length > 0) expect(work[0]).toBe("command.started");
  }
}
