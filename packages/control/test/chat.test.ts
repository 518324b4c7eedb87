/** Conversations: stopping, trying again, older pages, searching, titles, marks of what was read, an assistant that is gone. */
import { describe, expect, it } from "vitest";
import { assistantGoneMs } from "../src/sweep.ts";
import { codes, type FakeAgent, finished, openControl, person, refusal, started } from "./support/control.ts";

type Control = Awaited<ReturnType<typeof openControl>>;

async function withAssistant() {
  const control = await openControl();
  const agent = await control.hello({ kind: "assistant", name: "assistant", capabilities: ["concurrency:4"] });
  return { control, agent };
}

const said = (command: string, message: string, text: string) => [
  { event: "message.started", data: { command, message } },
  { event: "text.delta", data: { command, message, text } },
  { event: "message.finished", data: { command, message, text }, keyframe: `message/${message}` },
];

async function exchange(control: Control, agent: FakeAgent, thread: string | undefined, text: string, reply: string) {
  control.clock.now += 1_000;
  const sent = await control.call("command.send", thread === undefined ? { agent: agent.id, text } : { thread, text });
  await control.publish(agent, sent.thread, [
    started(sent.command),
    ...said(sent.command, `m-${sent.command}`, reply),
    finished(sent.command),
  ]);
  return sent;
}

const ends = async (control: Control, thread: string) =>
  (await control.events(`thread/${thread}`))
    .filter(({ event }) => event === "command.finished")
    .map(({ data }) => [data["command"], data["outcome"]]);

describe("command.interrupt", () => {
  it("[I8] ends a waiting command here and now, and it is never handed over", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const first = await control.call("command.send", { agent: agent.id, text: "one" });
    const second = await control.call("command.send", { thread: first.thread, text: "two" });
    await control.call("command.interrupt", { command: second.command });
    expect(await ends(control, first.thread)).toEqual([[second.command, "interrupted"]]);
    await control.publish(agent, first.thread, [started(first.command), finished(first.command)]);
    const handed = (await control.events(agent.inbox)).map(({ event, data }) => [event, data["command"]]);
    expect(handed).toEqual([["command.dispatched", first.command]]);
    expect(await control.fleet()).toMatchObject([{ queued: 0, command: null }]);
  });

  it("asks the agent that has it, whose word is the end; an ended one is nothing to stop", async () => {
    const { control, agent } = await withAssistant();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "one" });
    await control.publish(agent, thread, [started(command)]);
    await control.call("command.interrupt", { command });
    expect(await control.events(agent.inbox)).toMatchObject([
      { event: "command.dispatched" },
      { event: "command.interrupted", data: { command, thread } },
    ]);
    expect(await ends(control, thread)).toEqual([]);
    await control.publish(agent, thread, [...said(command, "m", "half"), finished(command, "interrupted")]);
    await control.call("command.interrupt", { command });
    expect(await control.events(agent.inbox)).toHaveLength(2);
    expect(await refusal(control.call("command.interrupt", { command: "nobody" }))).toBe("not_found");
  });
});

describe("command.retry", () => {
  it("[F76] is a new command of the same text that names the old; one that goes on cannot be tried again", async () => {
    const { control, agent } = await withAssistant();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "why?" });
    expect(await refusal(control.call("command.retry", { command }))).toBe("conflict");
    await control.publish(agent, thread, [started(command), finished(command, "failed", { reason: "busy" })]);
    const again = await control.call("command.retry", { command });
    expect(again).toMatchObject({ thread, position: 0 });
    expect(again.command).not.toBe(command);
    const { items } = await control.call("thread.read", { thread });
    expect(items.map((item) => [item.command.text, item.command.outcome, item.command.retryOf])).toEqual([
      ["why?", "failed", undefined],
      ["why?", null, command],
    ]);
  });
});

describe("what was said", () => {
  it("[F64] is read by pages that neither overlap nor leave anything out, each reply with its own command", async () => {
    const { control, agent } = await withAssistant();
    let thread: string | undefined;
    for (const n of Array.from({ length: 7 }, (_, index) => index))
      ({ thread } = await exchange(control, agent, thread, `question ${n}`, `answer ${n}`));
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page: { items: { command: { text: string }; messages: { text: string }[] }[]; next?: string | undefined } =
        await control.call("thread.read", { thread: thread ?? "", limit: 3, ...(before && { before }) });
      seen.unshift(...page.items.map(({ command, messages }) => `${command.text} ${messages.map(({ text }) => text)}`));
      before = page.next;
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 7 }, (_, n) => `question ${n} answer ${n}`));
  });

  it("holds several replies to one message, and of an unfinished one the text so far", async () => {
    const { control, agent } = await withAssistant();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "go" });
    await control.publish(agent, thread, [
      started(command),
      ...said(command, "m1", "first"),
      { event: "message.started", data: { command, message: "m2" } },
      { event: "text.delta", data: { command, message: "m2", text: "sec" } },
    ]);
    const { items } = await control.call("thread.read", { thread });
    expect(items[0]?.messages).toEqual([
      { id: "m1", state: "finished", text: "first" },
      { id: "m2", state: "started", text: "sec" },
    ]);
  });

  it("[I7] is told to the thread's own agent, and to no other", async () => {
    const { control, agent } = await withAssistant();
    const other = await control.hello({ kind: "assistant", name: "other" });
    const { thread } = await exchange(control, agent, undefined, "q", "a");
    expect((await control.call("thread.read", { thread }, agent.principal)).items).toHaveLength(1);
    expect(await refusal(control.call("thread.read", { thread }, other.principal))).toBe("not_found");
  });

  it("is found by its text, the newest first, in commands and messages, whatever the case", async () => {
    const { control, agent } = await withAssistant();
    const first = await exchange(control, agent, undefined, "Tell me of the Kelp", "It grows on rocks.");
    const second = await exchange(
      control,
      agent,
      first.thread,
      "and then?",
      `${"x".repeat(200)} KELP ${"y".repeat(200)}`,
    );
    const { items, next } = await control.call("thread.search", { thread: first.thread, text: "kelp" });
    expect(items.map(({ command, message }) => [command, message])).toEqual([
      [second.command, `m-${second.command}`],
      [first.command, null],
    ]);
    expect(items[0]?.excerpt).toMatch(/^…x{59,60} KELP y{58,60}…$/);
    expect(next).toBeUndefined();
    const page = await control.call("thread.search", { thread: first.thread, text: "kelp", limit: 1 });
    expect(page.items).toHaveLength(1);
    const rest = await control.call("thread.search", { thread: first.thread, text: "kelp", before: page.next ?? "" });
    expect(rest.items.map(({ command }) => command)).toEqual([first.command]);
  });
});

describe("a thread's title and marks", () => {
  it("takes the title from the first message, and another when it is given one", async () => {
    const { control, agent } = await withAssistant();
    const { thread } = await exchange(control, agent, undefined, "  Tell me\nmore", "a");
    expect((await control.call("thread.get", { thread })).thread.title).toBe("Tell me");
    const renamed = await control.call("thread.rename", { thread, title: "Kelp\u202e \n forests" });
    expect(renamed.thread.title).toBe("Kelp forests");
    expect((await control.events("threads")).at(-1)).toMatchObject({ data: { thread: { title: "Kelp forests" } } });
    expect(await refusal(control.call("thread.rename", { thread, title: " \u0007 " }))).toBe("invalid_params");
  });

  it("keeps a mark for each person, in step on their devices, which never goes back nor ahead", async () => {
    const { control, agent } = await withAssistant();
    const { thread } = await exchange(control, agent, undefined, "q", "a");
    const { now } = control.clock;
    const ada = person();
    expect(await control.call("thread.markRead", { thread, at: now - 5 }, ada)).toEqual({ readAt: now - 5 });
    expect(await control.call("thread.markRead", { thread, at: now + 99_999 }, ada)).toEqual({ readAt: now });
    expect(await control.call("thread.markRead", { thread, at: now - 5 }, ada)).toEqual({ readAt: now });
    expect((await control.events("reads/ada")).map(({ data }) => data)).toEqual([
      { thread, readAt: now - 5 },
      { thread, readAt: now },
    ]);
    expect(await control.events("reads/bob")).toEqual([]);
    expect(await control.snapshot("reads/ada")).toEqual({ reads: [{ thread, readAt: now }] });
  });
});

describe("an assistant that is gone", () => {
  async function amidAnAnswer() {
    const { control, agent } = await withAssistant();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "go" });
    await control.publish(agent, thread, [
      started(command),
      { event: "message.started", data: { command, message: "m" } },
      { event: "text.delta", data: { command, message: "m", text: "so far" } },
    ]);
    return { control, agent, command, thread };
  }

  it("[F74] loses its answer as soon as a new process of it comes, and keeps what was written", async () => {
    const { control, agent, command, thread } = await amidAnAnswer();
    await control.hello({ id: agent.id, kind: "assistant", name: "assistant" });
    expect(await ends(control, thread)).toEqual([[command, "lost"]]);
    const { items } = await control.call("thread.read", { thread });
    expect(items[0]?.messages).toMatchObject([{ text: "so far" }]);
    expect(await control.call("command.retry", { command })).toMatchObject({ thread });
  });

  it.each([0, 1, 2, 3, 4, 5])(
    "[F76] is asked again after its process died behind step %i of an answer: one end each, and one whole answer",
    async (steps) => {
      const { control, agent } = await withAssistant();
      const { command, thread } = await control.call("command.send", { agent: agent.id, text: "go" });
      const answer = (of: string) => [started(of), ...said(of, `m-${of}`, "all of it"), finished(of)];
      await control.publish(agent, thread, answer(command).slice(0, steps));
      const next = await control.hello({ id: agent.id, kind: "assistant", name: "assistant" });
      // What the dead one still had under way comes late, and is nobody's.
      expect(await refusal(control.publish(agent, thread, answer(command).slice(steps)))).toBe("fenced");
      const isUnstarted = steps === 0;
      expect(await ends(control, thread)).toEqual(isUnstarted ? [] : [[command, steps === 5 ? "completed" : "lost"]]);
      if (isUnstarted) await control.publish(next, thread, answer(command));
      else if (steps < 5) {
        const again = await control.call("command.retry", { command });
        expect(codes(await control.publish(next, thread, answer(again.command)))).toEqual(Array(5).fill(null));
        expect(codes(await control.publish(next, thread, answer(again.command)))).not.toContain(null);
      }
      const { items } = await control.call("thread.read", { thread });
      const whole = items.flatMap(({ messages }) => messages).filter(({ state }) => state === "finished");
      const completed = items.filter((item) => item.command.outcome === "completed");
      expect(completed).toHaveLength(1);
      expect(completed[0]?.messages.map(({ text }) => text)).toEqual(["all of it"]);
      // Its text may have been whole when it died; its end was not told, so it is not called an answer.
      expect(whole.length).toBe(steps === 4 ? 2 : 1);
      expect((await ends(control, thread)).length).toBe(items.length);
    },
  );

  it("[F61] goes on where the same process comes back with it", async () => {
    const { control, agent, command, thread } = await amidAnAnswer();
    const same = { id: agent.id, kind: "assistant", name: "assistant", process: agent.process, open: [command] };
    await control.hello(same);
    expect(await ends(control, thread)).toEqual([]);
    expect(codes(await control.publish(agent, thread, [finished(command)]))).toEqual([null]);
  });

  it("[F74] loses it within 30 s where none comes: 15 s until it is offline, 10 s more", async () => {
    const { control, agent, command, thread } = await amidAnAnswer();
    await control.task("control.presence", {
      changes: [{ workspace: "default", id: agent.id, from: [agent.connection], to: "offline" }],
    });
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: assistantGoneMs });
    control.clock.now += assistantGoneMs - 1;
    await control.task("control.sweep");
    expect(await ends(control, thread)).toEqual([]);
    control.clock.now += 1;
    expect(await control.task("control.due")).toMatchObject({ workspaces: ["default"] });
    await control.task("control.sweep");
    expect(await ends(control, thread)).toEqual([[command, "lost"]]);
    expect(await control.fleet()).toMatchObject([{ status: "offline", activity: "idle" }]);
    expect(await control.task("control.due")).toMatchObject({ workspaces: [] });
  });

  it("leaves a shell's command alone, which may go on without us", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { command, thread } = await control.call("command.send", { agent: agent.id, text: "make" });
    await control.publish(agent, thread, [started(command)]);
    await control.task("control.presence", {
      changes: [{ workspace: "default", id: agent.id, from: [agent.connection], to: "offline" }],
    });
    control.clock.now += 10 * assistantGoneMs;
    await control.task("control.sweep");
    expect(await ends(control, thread)).toEqual([]);
  });
});
