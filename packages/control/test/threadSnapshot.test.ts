/** The snapshot of a thread: exactly what all its events have made, at its offset, and bounded. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ThreadSnapshot } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { finished, type LoggedEvent, openControl, output, started } from "./support/control.ts";

const day = 86_400_000;

const screen = (thread: string, text: string, size = { cols: 80, rows: 24 }) => ({
  event: "terminal.screen",
  data: { terminal: thread, ...size, data: Buffer.from(text).toString("base64") },
});
const delta = (command: string, message: string, text: string) => ({
  event: "text.delta",
  data: { command, message, text },
});

/** What a terminal shows: all bytes, or the newest keyframe's and those after it. */
function bytesOf(events: readonly { readonly event: string; readonly data: unknown }[], earlier: boolean): string {
  let text = "";
  for (const { event, data } of events) {
    const bytes = Buffer.from((data as { data?: string }).data ?? "", "base64").toString();
    if (event === "terminal.screen" && earlier) text = `[${bytes}]`;
    if (event === "terminal.output") text += bytes;
  }
  return text;
}

/** The same by reading the whole log, in another way than the snapshot does. */
function replay(events: readonly LoggedEvent[], earlier: boolean) {
  const commands = new Map<string, { state: string; outcome: unknown; progress: unknown }>();
  const messages = new Map<string, { state: string; text: string }>();
  let size = { cols: 80, rows: 24 };
  let note: string | null = null;
  for (const { event, data } of events) {
    const id = data["command"] as string;
    const before = commands.get(id) ?? { state: "queued", outcome: null, progress: null };
    if (event === "command.queued") commands.set(id, before);
    if (event === "command.dispatched") commands.set(id, { ...before, state: "dispatched" });
    if (event === "command.started") commands.set(id, { ...before, state: "started" });
    if (event === "command.progress") commands.set(id, { ...before, progress: data["text"] });
    if (event === "command.finished") commands.set(id, { state: "finished", outcome: data["outcome"], progress: null });
    const message = data["message"] as string;
    if (event === "message.started") messages.set(message, { state: "started", text: "" });
    if (event === "text.delta")
      messages.set(message, { state: "started", text: `${messages.get(message)?.text}${data["text"]}` });
    if (event === "message.finished") messages.set(message, { state: "finished", text: data["text"] as string });
    if (event === "terminal.resized" || event === "terminal.screen")
      size = { cols: data["cols"] as number, rows: data["rows"] as number };
    if (event === "note") note = data["text"] as string;
  }
  return {
    commands: Object.fromEntries(commands),
    messages: Object.fromEntries(messages),
    size,
    note,
    bytes: bytesOf(events, earlier),
  };
}

function shown({ commands, messages, terminals, drawing, note }: ThreadSnapshot) {
  const [terminal] = terminals;
  return {
    commands: Object.fromEntries(
      commands.map(({ id, state, outcome, progress }) => [id, { state, outcome, progress }]),
    ),
    messages: Object.fromEntries(messages.map(({ id, state, text }) => [id, { state, text }])),
    size: { cols: terminal?.cols, rows: terminal?.rows },
    note,
    bytes: bytesOf(drawing, terminal?.earlier === true),
  };
}

async function withThread() {
  const control = await openControl();
  const agent = await control.hello({ capabilities: ["concurrency:3"] });
  const thread = (await control.call("thread.create", { agent: agent.id })).thread.id;
  const send = async () => (await control.call("command.send", { thread, text: "work" })).command;
  return { control, agent, thread, send };
}

describe("the snapshot of a thread", () => {
  it("[ST-9][ST-10] tells commands, messages and the terminal as their events have made them", async () => {
    const { control, agent, thread, send } = await withThread();
    const [done, running, waiting] = [await send(), await send(), await send()];
    const [next, queued] = [await send(), await send()];
    const verdicts = await control.publish(agent, thread, [
      started(done),
      output(thread, "old", done),
      screen(thread, "screen", { cols: 100, rows: 30 }),
      output(thread, "a", done),
      output(thread, "b", done),
      { event: "command.progress", data: { command: done, text: "half" } },
      finished(done, "failed", { exitCode: 2, inferred: true, reason: "why" }),
      started(running),
      { event: "command.progress", data: { command: running, text: "a third" } },
      { event: "message.started", data: { command: running, message: "m1" } },
      delta(running, "m1", "whole"),
      { event: "message.finished", data: { command: running, message: "m1", text: "whole" } },
      { event: "message.started", data: { command: running, message: "m2" } },
      delta(running, "m2", "so "),
      { event: "note", data: { text: "noted" } },
    ]);
    expect(verdicts.every((verdict) => verdict === null)).toBe(true);
    await control.publish(agent, thread, [delta(running, "m2", "far")]);
    const { offset, data } = await control.thread(thread);
    expect(offset).toBe((await control.events(streams.thread(thread))).length);
    expect(data.thread).toMatchObject({ id: thread, agent: agent.id, kind: "work" });
    expect(data.commands).toMatchObject([
      { id: done, state: "finished", outcome: "failed", exitCode: 2, inferred: true, reason: "why", progress: null },
      { id: running, state: "started", progress: "a third", inferred: false },
      { id: waiting, state: "dispatched" },
      { id: next, state: "dispatched" },
      { id: queued, state: "queued" },
    ]);
    expect(data.messages).toEqual([
      { id: "m1", command: running, state: "finished", text: "whole" },
      { id: "m2", command: running, state: "started", text: "so far" },
    ]);
    expect(data.note).toBe("noted");
    expect(data.terminals).toEqual([{ terminal: thread, cols: 100, rows: 30, earlier: false }]);
    // A short log is drawn whole.
    expect(data.drawing.map(({ event }) => event)).toEqual([
      "command.started",
      "terminal.output",
      "command.finished",
      "command.started",
      "note",
    ]);
    const old = Buffer.from("oldab").toString("base64");
    expect(data.drawing[1]).toMatchObject({ offset: 10, through: 13, data: { data: old, command: done } });
  });

  it("[ST-10] of a long log it holds the newest keyframe *and* what is drawn after it", async () => {
    const { control, agent, thread, send } = await withThread();
    const command = await send();
    const long = "x".repeat(60_000);
    await control.publish(agent, thread, [started(command), ...Array.from({ length: 10 }, () => output(thread, long))]);
    await control.publish(agent, thread, [screen(thread, "older"), output(thread, "b"), screen(thread, "screen")]);
    await control.publish(agent, thread, [output(thread, "a", command), output(thread, "b", command)]);
    await control.publish(agent, thread, [finished(command), { event: "note", data: { text: "noted" } }]);
    const { data } = await control.thread(thread);
    expect(data.drawing).toMatchObject([
      { event: "terminal.screen", data: { data: Buffer.from("screen").toString("base64") } },
      { event: "terminal.output", data: { data: Buffer.from("ab").toString("base64"), command } },
      { event: "command.finished" },
      { event: "note" },
    ]);
    // Neighbours are joined (ST-12).
    expect((data.drawing[1]?.through ?? 0) - (data.drawing[1]?.offset ?? 0)).toBe(1);
    expect(data.terminals).toMatchObject([{ earlier: true }]);
  });

  it("[ST-9][ST-10] is at every moment what reading the whole log gives", { timeout: 60_000 }, async () => {
    const action = fc.constantFrom(
      "send",
      "start",
      "finish",
      "progress",
      "open",
      "delta",
      "close",
      "output",
      "screen",
      "resize",
      "note",
      "age",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), fc.nat(), async (actions, seed) => {
        const { control, agent, thread, send } = await withThread();
        let drawn = seed;
        const draw = <Item>(items: readonly Item[]): Item | undefined => {
          drawn = (drawn * 48_271 + 11) % 2_147_483_647;
          return items[drawn % Math.max(1, items.length)];
        };
        const commands: string[] = [];
        const messages: { id: string; command: string; text: string }[] = [];
        const log = new Map<number, LoggedEvent>();
        let count = 0;
        // Open throughout, so that retention takes only what is replaced.
        const open = await send();
        await control.publish(agent, thread, [started(open)]);
        for (const what of actions) {
          count += 1;
          const command = draw(commands) ?? "none";
          const message = draw(messages) ?? { id: "none", command, text: "" };
          const text = `${count} `;
          const about = { command: message.command, message: message.id };
          const events = {
            start: () => started(command),
            finish: () => finished(command),
            progress: () => ({ event: "command.progress", data: { command, text } }),
            open: () => ({ event: "message.started", data: { command, message: `m${count}` } }),
            delta: () => delta(message.command, message.id, text),
            close: () => ({ event: "message.finished", data: { ...about, text: message.text } }),
            output: () => output(thread, text),
            screen: () => screen(thread, text, { cols: 80 + count, rows: 24 }),
            resize: () => ({ event: "terminal.resized", data: { terminal: thread, cols: 40 + count, rows: 10 } }),
            note: () => ({ event: "note", data: { text } }),
          };
          if (what === "send") commands.push(await send());
          else if (what === "age") {
            control.clock.now += 100 * day;
            await control.retain();
          } else {
            const [verdict] = await control.publish(agent, thread, [events[what]()]);
            if (verdict === null && what === "open") messages.push({ id: `m${count}`, command, text: "" });
            if (verdict === null && what === "delta") message.text += text;
          }
          for (const [offset, event] of await control.log(streams.thread(thread))) log.set(offset, event);
          const { data } = await control.thread(thread);
          expect(shown(data)).toEqual(replay([...log.values()], data.terminals[0]?.earlier === true));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("[ST-10] is bounded, however long the log is and whatever the agent leaves out", async () => {
    const { control, agent, thread } = await withThread();
    const line = "x".repeat(1_000);
    for (let batch = 0; batch < 10; batch += 1)
      await control.publish(
        agent,
        thread,
        Array.from({ length: 300 }, (_, index) => output(thread, `${batch * 300 + index} ${line}\n`)),
      );
    const { data } = await control.thread(thread);
    const size = JSON.stringify(data.drawing).length;
    expect(size).toBeLessThan(1.2 * 1024 * 1024);
    expect(size).toBeGreaterThan(0.8 * 1024 * 1024);
    expect(Math.max(...data.drawing.map((event) => JSON.stringify(event).length))).toBeLessThan(48 * 1024);
    expect(data.terminals).toMatchObject([{ earlier: true }]);
    expect(bytesOf(data.drawing, true).endsWith(`2999 ${line}\n`)).toBe(true);
  });

  it("[ST-10] a keyframe too far back to be continued is left out: bytes with a hole in them draw nonsense", async () => {
    const { control, agent, thread } = await withThread();
    await control.publish(agent, thread, [screen(thread, "far back")]);
    for (let batch = 0; batch < 3; batch += 1)
      await control.publish(
        agent,
        thread,
        Array.from({ length: 50 }, () => output(thread, "y".repeat(10_000))),
      );
    const { data } = await control.thread(thread);
    expect(data.drawing.every(({ event }) => event === "terminal.output")).toBe(true);
    expect(data.terminals).toMatchObject([{ earlier: true }]);
  });

  it("[ST-10] holds the last 200 messages and every open command, in order", async () => {
    const { control, agent, thread, send } = await withThread();
    const open = await send();
    await control.publish(agent, thread, [started(open)]);
    for (let count = 0; count < 250; count += 1) {
      const command = await send();
      await control.publish(agent, thread, [
        started(command),
        { event: "message.started", data: { command, message: `m${count}` } },
        { event: "message.finished", data: { command, message: `m${count}`, text: `text ${count}` } },
        finished(command),
      ]);
    }
    const { data } = await control.thread(thread);
    expect(data.commands).toHaveLength(201);
    expect(data.commands[0]).toMatchObject({ id: open, state: "started" });
    expect(data.messages).toHaveLength(200);
    expect([data.messages[0]?.text, data.messages.at(-1)?.text]).toEqual(["text 50", "text 249"]);
  });
});

describe("retention of a thread", () => {
  it("[ST-10] keeps what is not replaced while a command or an interactive terminal is open", async () => {
    const { control, agent, thread, send } = await withThread();
    const command = await send();
    await control.publish(agent, thread, [
      started(command),
      output(thread, "a"),
      screen(thread, "b"),
      output(thread, "c"),
    ]);
    const interactive = (await control.call("thread.create", { agent: agent.id, kind: "terminal" })).thread.id;
    await control.publish(agent, interactive, [output(interactive, "shell")]);
    const before = (await control.thread(thread)).data;
    expect(bytesOf(before.drawing, false)).toBe("ac");
    control.clock.now += 100 * day;
    await control.retain();
    const names = async (id: string) => (await control.events(streams.thread(id))).map(({ event }) => event);
    expect(await names(thread)).toEqual([
      "command.queued",
      "command.dispatched",
      "command.started",
      "terminal.screen",
      "terminal.output",
    ]);
    const after = (await control.thread(thread)).data;
    expect(after).toMatchObject({ commands: before.commands, terminals: [{ earlier: true }] });
    expect(bytesOf(after.drawing, true)).toBe("[b]c");
    expect(await names(interactive)).toEqual(["terminal.output"]);

    await control.publish(agent, thread, [finished(command)]);
    await control.publish(agent, interactive, [{ event: "terminal.closed", data: { terminal: interactive } }]);
    control.clock.now += 100 * day;
    await control.retain();
    expect([await names(thread), await names(interactive)]).toEqual([[], []]);
    expect((await control.thread(thread)).data.commands).toMatchObject([{ id: command, state: "finished" }]);
  });

  it("[ST-10][OP-8] keeps an inbox's command until it is claimed or has expired, however old", async () => {
    const { control, agent, thread, send } = await withThread();
    const command = await send();
    control.clock.now += 40 * day;
    await control.retain();
    expect((await control.events(agent.inbox)).map(({ event }) => event)).toEqual(["command.dispatched"]);
    await control.publish(agent, thread, [started(command), finished(command)]);
    await control.retain();
    expect(await control.events(agent.inbox)).toEqual([]);
  });
});
