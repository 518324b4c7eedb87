/** Sending, queueing, dispatching, expiring. */
import { describe, expect, it } from "vitest";
import { commandState, type MethodResult } from "../contract/index.ts";
import { commandSteps, commandTable, nextState } from "../src/commandStates.ts";
import { type FakeAgent, finished, openControl, refusal, started } from "./support/control.ts";

const day = 24 * 3_600_000;

async function withAgent(claims: Parameters<Awaited<ReturnType<typeof openControl>>["hello"]>[0] = {}) {
  const control = await openControl();
  const agent = await control.hello(claims);
  return { control, agent };
}

const away = async (control: Awaited<ReturnType<typeof openControl>>, agent: { id: string; connection: string }) =>
  control.task("control.presence", {
    changes: [{ workspace: "default", id: agent.id, from: [agent.connection], to: "offline" }],
  });

describe("the table of a command's steps", () => {
  it("[I8] is total, ends in one end, and lets nothing leave it", () => {
    for (const state of commandState.options) {
      for (const step of commandSteps) expect(commandTable[state]).toHaveProperty(step);
      if (state !== "finished") expect(commandSteps.some((step) => nextState(state, step) === "finished")).toBe(true);
    }
    expect(commandSteps.map((step) => nextState("finished", step))).toEqual(commandSteps.map(() => null));
  });

  it("[PB-5] reaches `started` from `dispatched` by a claim only, and never goes back from it", () => {
    const reaching = commandState.options.flatMap((state) =>
      commandSteps.filter((step) => nextState(state, step) === "started").map((step) => [state, step]),
    );
    expect(reaching).toEqual([["dispatched", "claim"]]);
    expect(commandSteps.map((step) => nextState("started", step)).filter((next) => next !== null)).toEqual([
      "finished",
      "finished",
    ]);
  });
});

describe("command.send", () => {
  it("[F31] makes a thread for an agent's first command, before anything names it", async () => {
    const { control, agent } = await withAgent();
    const { command, thread, position } = await control.call("command.send", {
      agent: agent.id,
      text: "\n  make   all\nthen more",
    });
    expect(position).toBe(0);
    expect(await control.events("threads")).toMatchObject([
      { event: "thread.created", data: { thread: { id: thread, title: "make all", kind: "work", createdBy: "ada" } } },
    ]);
    const events = await control.events(`thread/${thread}`);
    expect(events.map(({ event }) => event)).toEqual(["command.queued", "command.dispatched"]);
    expect(events[0]).toMatchObject({
      data: { command, position: 0, sentBy: "ada", value: { state: "queued", priority: "normal" } },
    });
    expect(await control.events(agent.inbox)).toMatchObject([
      { event: "command.dispatched", data: { command, thread, text: "\n  make   all\nthen more" } },
    ]);
    expect(await control.fleet()).toMatchObject([{ command, activity: "idle", queued: 0 }]);
  });

  it("[F24] refuses unknown agents and threads by name, with no trace", async () => {
    const { control, agent } = await withAgent();
    expect(await refusal(control.call("command.send", { agent: agent.name, text: "ls" }))).toBe("not_found");
    expect(await refusal(control.call("command.send", { thread: control.newId(), text: "ls" }))).toBe("not_found");
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    expect(await refusal(control.call("command.send", { thread: thread.id, text: "ls" }))).toBe("invalid_params");
    expect(await control.db.selectFrom("commands").select("id").execute()).toEqual([]);
  });

  it("one command at a time, by priority, then in order; the position says how many go before", async () => {
    const { control, agent } = await withAgent();
    const send = (text: string, priority?: "high" | "low") =>
      control.call("command.send", { agent: agent.id, text, ...(priority === undefined ? {} : { priority }) });
    const running = await send("running");
    const sent = [await send("low", "low"), await send("first"), await send("high", "high"), await send("second")];
    expect(sent.map(({ position }) => position)).toEqual([1, 1, 1, 3]);
    expect(await control.fleet()).toMatchObject([{ queued: 4, command: running.command }]);

    let current = running;
    for (const expected of [sent[2], sent[1], sent[3], sent[0]]) {
      await control.publish(agent, current.thread, [started(current.command), finished(current.command)]);
      const [{ command } = { command: null }] = await control.fleet();
      expect(command).toBe(expected?.command);
      current = expected ?? current;
    }
    const handed = (await control.events(agent.inbox)).map(({ data }) => data["text"]);
    expect(handed).toEqual(["running", "high", "first", "second", "low"]);
  });

  it("as many at once as the agent declares, within bounds", async () => {
    const control = await openControl();
    for (const [capability, expected] of [
      ["concurrency:3", 3],
      ["concurrency:0", 1],
      ["concurrency:9999", 1],
      ["concurrency:-1", 1],
    ] as const) {
      const agent = await control.hello({ capabilities: [capability] });
      for (let sent = 0; sent < 5; sent += 1) await control.call("command.send", { agent: agent.id, text: `${sent}` });
      expect(await control.events(agent.inbox)).toHaveLength(expected);
    }
  });

  it("to an offline agent: waits a day by default; `expiresIn: 0` is refused, and only then", async () => {
    const { control, agent } = await withAgent();
    await control.call("command.send", { agent: agent.id, text: "now", expiresIn: 0 });
    await away(control, agent);
    expect(await refusal(control.call("command.send", { agent: agent.id, text: "now", expiresIn: 0 }))).toBe(
      "agent_offline",
    );
    const { command } = await control.call("command.send", { agent: agent.id, text: "later" });
    expect(await control.events(agent.inbox)).toHaveLength(1);
    const row = await control.db
      .selectFrom("commands")
      .select(["state", "expires_at"])
      .where("id", "=", command)
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ state: "queued", expires_at: control.clock.now + day });
  });

  it("on its return an agent gets what waited, in order, once", async () => {
    const { control, agent } = await withAgent();
    await away(control, agent);
    for (const text of ["one", "two"]) await control.call("command.send", { agent: agent.id, text });
    const back = await control.hello({ id: agent.id, process: agent.process });
    for (const { data } of [...(await control.events(agent.inbox))]) {
      const { command, thread } = data as { command: string; thread: string };
      await control.publish(back, thread, [started(command), finished(command)]);
    }
    expect((await control.events(agent.inbox)).map(({ data }) => data["text"])).toEqual(["one", "two"]);
  });

  it("[F71] at most 1,000 wait for an agent, the next is refused by name", async () => {
    const { control, agent } = await withAgent();
    const { thread } = await control.call("thread.create", { agent: agent.id });
    for (let sent = 0; sent < 1_001; sent += 1) await control.call("command.send", { thread: thread.id, text: "x" });
    expect(await refusal(control.call("command.send", { thread: thread.id, text: "x" }))).toBe("queue_full");
    expect(await control.fleet()).toMatchObject([{ queued: 1_000 }]);
  });

  it("[F45] text that no database keeps, or no event holds, is refused before anything is done", async () => {
    const { control, agent } = await withAgent();
    const send = (text: string) => refusal(control.call("command.send", { agent: agent.id, text }));
    expect(await send("a\0b")).toBe("invalid_params");
    expect(await send("a\ud800b")).toBe("invalid_params");
    expect(await send("\u{1f600}".repeat(20_000))).toBe("too_large");
    expect(await control.threads()).toEqual([]);
    expect(await send("\u{1f600}".repeat(14_000))).toBe("accepted");
    const [thread] = await control.threads();
    const [queued] = await control.events(`thread/${thread?.id}`);
    expect(JSON.stringify(queued?.data).length).toBeLessThan(128 * 1024);
    expect(thread?.title.isWellFormed()).toBe(true);
  });
});

describe("expiry", () => {
  it("[I8] [F75] a command that is not started in time ends once as `expired`, queued or handed over", async () => {
    const { control, agent } = await withAgent();
    const handed = await control.call("command.send", { agent: agent.id, text: "handed over", expiresIn: 5_000 });
    const queued = await control.call("command.send", { agent: agent.id, text: "queued", expiresIn: 5_000 });
    const later = await control.call("command.send", { agent: agent.id, text: "later" });
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: 5_000 });
    control.clock.now += 5_000;
    expect(await control.task("control.due")).toMatchObject({ workspaces: ["default"] });
    await control.task("control.sweep");
    await control.task("control.sweep");
    for (const { command, thread } of [handed, queued]) {
      const ends = (await control.events(`thread/${thread}`)).filter(({ event }) => event === "command.finished");
      expect(ends).toMatchObject([{ data: { command, outcome: "expired" } }]);
      expect(await control.publish(agent, thread, [started(command)])).toMatchObject([{ code: "conflict" }]);
    }
    expect(await control.fleet()).toMatchObject([{ command: later.command, queued: 0 }]);
  });

  it("a command that has started does not expire", async () => {
    const { control, agent } = await withAgent();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "long", expiresIn: 1_000 });
    await control.publish(agent, thread, [started(command)]);
    control.clock.now += 60_000;
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: null });
    await control.task("control.sweep");
    expect(await control.fleet()).toMatchObject([{ command, activity: "working" }]);
  });

  it("what is late is not handed out on a return, without any sweep", async () => {
    const { control, agent } = await withAgent();
    await away(control, agent);
    await control.call("command.send", { agent: agent.id, text: "late", expiresIn: 1_000 });
    await control.call("command.send", { agent: agent.id, text: "in time" });
    control.clock.now += 2_000;
    await control.hello({ id: agent.id });
    expect((await control.events(agent.inbox)).map(({ data }) => data["text"])).toEqual(["in time"]);
  });
});

describe("lists", () => {
  it("page by page, agents by name and threads by activity, each once", async () => {
    const control = await openControl();
    const agents: FakeAgent[] = [];
    for (const name of ["c", "\u{1f600}".repeat(50), "a", "b", "d"]) agents.push(await control.hello({ name }));
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await control.call("agent.list", { limit: 2, ...(next === undefined ? {} : { next }) });
      names.push(...page.items.map((agent) => agent.name));
      next = page.next;
    } while (next !== undefined);
    expect(names).toEqual(["a", "b", "c", "d", "\u{1f600}".repeat(50)]);

    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) {
      control.clock.now += made % 2;
      ids.push((await control.call("command.send", { agent: agents[made % 2]?.id ?? "", text: `${made}` })).thread);
    }
    control.clock.now += 1;
    await control.call("command.send", { thread: ids[0] ?? "", text: "again" });
    const listed: string[] = [];
    do {
      const page: MethodResult<"thread.list"> = await control.call("thread.list", {
        limit: 2,
        ...(next === undefined ? {} : { next }),
      });
      listed.push(...page.items.map((thread) => thread.id));
      next = page.next;
    } while (next !== undefined);
    expect(listed).toHaveLength(5);
    expect(listed[0]).toBe(ids[0]);
    expect(new Set(listed)).toEqual(new Set(ids));
    expect(listed).toEqual((await control.threads()).map((thread) => thread.id));
    const ofOne = await control.call("thread.list", { agent: agents[1]?.id });
    expect(ofOne.items.map((thread) => thread.agent)).toEqual([agents[1]?.id, agents[1]?.id]);
    expect(await refusal(control.call("thread.list", { next: "bogus" }))).toBe("invalid_params");
  });
});
