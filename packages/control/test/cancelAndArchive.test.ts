/**
 * Commands that are taken back before they begin, and threads that are put away.
 *
 * Seen red: a cancelled command that can still be claimed; one that has begun and is ended by cancelling; a second cancelling
 * that is refused; a place that stays taken; a list that shows what is archived; a send that leaves its thread away; an open
 * thread that is archived.
 */
import { describe, expect, it } from "vitest";
import { codes, finished, openControl, refusal, started } from "./support/control.ts";

type Control = Awaited<ReturnType<typeof openControl>>;

const commandsOf = async (control: Control, thread: string) =>
  (await control.thread(thread)).data.commands.map(({ text, state, outcome }) => `${text} ${outcome ?? state}`);

async function withTwo() {
  const control = await openControl();
  const agent = await control.hello();
  const first = await control.call("command.send", { agent: agent.id, text: "one" });
  const second = await control.call("command.send", { thread: first.thread, text: "two" });
  return { control, agent, first, second };
}

describe("command.cancel", () => {
  it("[I8] takes back one that waits: it ends, and is never handed over; twice is once", async () => {
    const { control, agent, first, second } = await withTwo();
    await control.call("command.cancel", { command: second.command });
    await control.call("command.cancel", { command: second.command });
    expect(await commandsOf(control, first.thread)).toEqual(["one dispatched", "two interrupted"]);
    await control.publish(agent, first.thread, [started(first.command), finished(first.command)]);
    expect((await control.events(agent.inbox)).map(({ data }) => data["command"])).toEqual([first.command]);
  });

  it("[PB-5] takes back one that was handed over: its claim is refused, and the next has its place", async () => {
    const { control, agent, first, second } = await withTwo();
    await control.call("command.cancel", { command: first.command });
    expect(codes(await control.publish(agent, first.thread, [started(first.command)]))).toEqual(["conflict"]);
    expect(await commandsOf(control, first.thread)).toEqual(["one interrupted", "two dispatched"]);
    expect(codes(await control.publish(agent, first.thread, [started(second.command)]))).toEqual([null]);
  });

  it("[PB-5] comes too late where the claim was first: it runs on, and the refusal says what to do", async () => {
    const { control, agent, first } = await withTwo();
    await control.publish(agent, first.thread, [started(first.command)]);
    await expect(control.call("command.cancel", { command: first.command })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("command.interrupt"),
      details: { state: "started" },
    });
    await control.publish(agent, first.thread, [finished(first.command)]);
    expect(await refusal(control.call("command.cancel", { command: first.command }))).toBe("conflict");
    expect(await refusal(control.call("command.cancel", { command: "nobody" }))).toBe("not_found");
    expect(await commandsOf(control, first.thread)).toEqual(["one completed", "two dispatched"]);
  });
});

describe("thread.archive", () => {
  async function withEnded() {
    const { control, agent, first, second } = await withTwo();
    for (const { command } of [first, second])
      await control.publish(agent, first.thread, [started(command), finished(command)]);
    return { control, agent, thread: first.thread };
  }
  const listed = async (control: Control, archived?: boolean) => {
    const { items } = await control.call("thread.list", archived === undefined ? {} : { archived });
    return items.map(({ id }) => id);
  };

  it("takes a thread out of list and snapshot and back, each told once; what was said stays", async () => {
    const { control, thread } = await withEnded();
    const before = (await control.events("threads")).length;
    control.clock.now += 1_000;
    const at = control.clock.now;
    for (let times = 0; times < 2; times += 1)
      expect((await control.call("thread.archive", { thread })).thread.archivedAt).toBe(at);
    expect([await control.threads(), await listed(control), await listed(control, true)]).toEqual([[], [], [thread]]);
    expect((await control.call("thread.get", { thread })).thread.archivedAt).toBe(at);
    expect((await control.call("thread.read", { thread })).items).toHaveLength(2);
    expect((await control.call("thread.search", { thread, text: "two" })).items).toHaveLength(1);
    for (let times = 0; times < 2; times += 1)
      expect((await control.call("thread.archive", { thread, archived: false })).thread.archivedAt).toBeUndefined();
    expect([await listed(control), await listed(control, true)]).toEqual([[thread], []]);
    const told = (await control.events("threads")).slice(before);
    expect(told.map(({ event }) => event)).toEqual(["thread.archived", "thread.changed"]);
  });

  it("a command that is sent in it brings it back, and so does one that is tried again", async () => {
    const { control, agent, thread } = await withEnded();
    for (const method of ["send", "retry"] as const) {
      await control.call("thread.archive", { thread });
      const { command } =
        method === "send"
          ? await control.call("command.send", { thread, text: "three" })
          : await control.call("command.retry", {
              command: (await control.thread(thread)).data.commands[0]?.id ?? "",
            });
      expect((await control.threads()).map(({ id, archivedAt }) => [id, archivedAt])).toEqual([[thread, undefined]]);
      await control.publish(agent, thread, [started(command), finished(command)]);
    }
  });

  it("is refused while something in it is unfinished: nothing works on out of sight", async () => {
    const { control, agent, first } = await withTwo();
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    for (const id of [first.thread, thread.id])
      expect(await refusal(control.call("thread.archive", { thread: id }))).toBe("conflict");
    expect(await refusal(control.call("thread.archive", { thread: "nobody" }))).toBe("not_found");
  });
});

describe("thread.read", () => {
  it("[F64] gives a place with what is around it, and goes on from both ends without holes", async () => {
    const control = await openControl();
    const agent = await control.hello();
    let thread: string | undefined;
    const commands: string[] = [];
    for (const n of Array.from({ length: 9 }, (_, index) => index)) {
      const text = `n${n}`;
      const sent = await control.call(
        "command.send",
        thread === undefined ? { agent: agent.id, text } : { thread, text },
      );
      thread = sent.thread;
      commands.push(sent.command);
      await control.publish(agent, thread, [started(sent.command), finished(sent.command)]);
    }
    const read = async (place: object) => {
      const { items, next, later } = await control.call("thread.read", { thread: thread ?? "", limit: 4, ...place });
      return { texts: items.map(({ command }) => command.text).join(" "), next, later };
    };
    const middle = await read({ around: commands[4] });
    expect(middle).toEqual({ texts: "n2 n3 n4 n5", next: commands[2], later: commands[5] });
    expect(await read({ before: middle.next })).toEqual({ texts: "n0 n1", next: undefined, later: undefined });
    expect(await read({ after: middle.later })).toEqual({ texts: "n6 n7 n8", next: undefined, later: undefined });
    expect(await read({ around: commands[8] })).toEqual({ texts: "n6 n7 n8", next: commands[6], later: undefined });
    expect(await read({ after: commands[8] })).toEqual({ texts: "", next: undefined, later: undefined });
    expect(await refusal(control.call("thread.read", { thread: thread ?? "", around: "nobody" }))).toBe("not_found");
  });
});
