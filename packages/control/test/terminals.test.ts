/** Terminals from a person's side, and who reads which stream. */
import type { Principal } from "@holdfast/server/plugin";
import { describe, expect, it } from "vitest";
import { type MethodName, methods } from "../contract/index.ts";
import { plugin } from "../src/plugin.ts";
import { openControl, person, refusal } from "./support/control.ts";

describe("terminals", () => {
  it("[OP-8] opening, typing and sizing reach the inbox in order, for the present generation", async () => {
    const control = await openControl();
    const first = await control.hello();
    const agent = await control.hello({ id: first.id });
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal", cols: 100, rows: 30 });
    const terminal = { thread: thread.id, terminal: thread.id };
    await control.call("terminal.write", { ...terminal, data: "bHM=" });
    await control.call("terminal.resize", { ...terminal, cols: 120, rows: 40 });
    await control.call("terminal.write", { ...terminal, data: "Cg==" });
    const named = { ...terminal, generation: 2 };
    expect(await control.events(agent.inbox)).toEqual([
      { event: "terminal.open", data: { ...named, cols: 100, rows: 30 } },
      { event: "terminal.input", data: { ...named, data: "bHM=" } },
      { event: "terminal.resized", data: { ...named, cols: 120, rows: 40 } },
      { event: "terminal.input", data: { ...named, data: "Cg==" } },
    ]);
  });

  it("[F27] a thread has one terminal, under one name", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { thread } = await control.call("thread.create", { agent: agent.id });
    const write = (to: { thread: string; terminal: string }) =>
      refusal(control.call("terminal.write", { ...to, data: "QQ==" }));
    expect(await write({ thread: thread.id, terminal: thread.id })).toBe("accepted");
    expect(await write({ thread: thread.id, terminal: "terminal" })).toBe("not_found");
    expect(await write({ thread: control.newId(), terminal: thread.id })).toBe("not_found");
    expect(await control.events(agent.inbox)).toHaveLength(1);
  });

  it("nothing is typed at an agent that is away", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    const terminal = { thread: thread.id, terminal: thread.id };
    for (const to of ["reconnecting", "offline"] as const) {
      const change = { workspace: "default", id: agent.id, from: [agent.connection], to };
      await control.task("control.presence", { changes: [change] });
      expect(await refusal(control.call("terminal.write", { ...terminal, data: "QQ==" }))).toBe("agent_offline");
      expect(await refusal(control.call("terminal.resize", { ...terminal, cols: 1, rows: 1 }))).toBe("agent_offline");
      expect(await refusal(control.call("thread.create", { agent: agent.id, kind: "terminal" }))).toBe("agent_offline");
    }
    expect(await refusal(control.call("thread.create", { agent: agent.id }))).toBe("accepted");
  });

  it("only agents that can open terminals are asked to", async () => {
    const control = await openControl();
    const open = async (kind: string, capabilities: string[] = []) => {
      const agent = await control.hello({ kind, capabilities });
      return refusal(control.call("thread.create", { agent: agent.id, kind: "terminal" }));
    };
    expect(await open("shell")).toBe("accepted");
    expect(await open("assistant")).toBe("conflict");
    expect(await open("custom", ["terminal"])).toBe("accepted");
    expect(await refusal(control.call("thread.create", { agent: control.newId() }))).toBe("not_found");
  });
});

describe("streams", () => {
  const family = (name: string) => plugin.streams.find((one) => one.name === name);
  const agentOf = (id: string, role: Principal["role"] = "agent"): Principal => ({
    kind: "agent",
    id,
    name: id,
    role,
    workspace: "default",
    temporary: false,
  });

  it("[T9] persons read all but inboxes; an agent reads its own inbox and nothing else", () => {
    const readers: [string, string, Principal, boolean][] = [
      ["fleet", "fleet", person(), true],
      ["threads", "threads", person(), true],
      ["thread/", "thread/t", person(), true],
      ["inbox/", "inbox/a", person(), false],
      ["inbox/", "inbox/ada", person(), false],
      ["fleet", "fleet", agentOf("a"), false],
      ["threads", "threads", agentOf("a"), false],
      ["thread/", "thread/t", agentOf("a"), false],
      ["inbox/", "inbox/a", agentOf("a"), true],
      ["inbox/", "inbox/b", agentOf("a"), false],
      ["inbox/", "inbox/b", agentOf("a", "admin"), false],
    ];
    for (const [name, stream, principal, expected] of readers) {
      expect([name, stream, principal.id, family(name)?.mayRead(principal, stream)]).toEqual([
        name,
        stream,
        principal.id,
        expected,
      ]);
    }
    expect(plugin.streams.filter(({ publish }) => publish !== undefined).map(({ name }) => name)).toEqual(["thread/"]);
  });

  it("[A1] [I7] nothing of one workspace is seen or reached from another", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { thread } = await control.call("command.send", { agent: agent.id, text: "secret" });
    const stranger = person("other");
    expect(await control.fleet("other")).toEqual([]);
    expect(await control.threads("other")).toEqual([]);
    expect((await control.call("agent.list", {}, stranger)).items).toEqual([]);
    expect((await control.call("thread.list", {}, stranger)).items).toEqual([]);
    expect(await refusal(control.call("command.send", { agent: agent.id, text: "x" }, stranger))).toBe("not_found");
    expect(await refusal(control.call("command.send", { thread, text: "x" }, stranger))).toBe("not_found");
    const terminal = { thread, terminal: thread, data: "QQ==" };
    expect(await refusal(control.call("terminal.write", terminal, stranger))).toBe("not_found");
  });

  it("[F36] every method of the contract has its handler, by the declaration's own role and kind", () => {
    expect(Object.keys(plugin.methods).sort()).toEqual(Object.keys(methods).sort());
    for (const name of Object.keys(methods) as MethodName[]) {
      const { role, kind, params } = methods[name];
      expect(plugin.methods[name]).toMatchObject({ role, kind });
      expect(plugin.methods[name]?.params).toBe(params);
      // An agent asks for what was said in its own threads, and for nothing else.
      expect(plugin.methods[name]?.agents ?? false).toBe(name === "thread.read");
    }
  });
});
