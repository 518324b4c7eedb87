/**
 * Agents that are removed: what ends with them, what stays, and who may come after them.
 *
 * Seen red: removal of one that is not offline; commands left to wait; the row kept; the name kept; a `hello` of the removed
 * id that finds its row; a second removal that is refused; `reclaim` that trips over a removed one.
 */
import { describe, expect, it } from "vitest";
import { finished, openControl, output, person, refusal, started } from "./support/control.ts";

const key = { id: "key-1", enrol: true };
const admin = { ...person(), role: "admin" as const };

async function withGone(claims: Parameters<Awaited<ReturnType<typeof openControl>>["hello"]>[0] = {}) {
  const control = await openControl();
  const agent = await control.hello({ name: "kelp", ...claims }, { key });
  const leave = (of: { readonly id: string; readonly connection: string } = agent) =>
    control.task("control.presence", {
      changes: [{ workspace: "default", id: of.id, from: [of.connection], to: "offline" }],
    });
  return { control, agent, leave };
}

describe("agent.remove", () => {
  it("takes an offline agent out of the fleet, once, however often it is asked; its threads stay", async () => {
    const { control, agent, leave } = await withGone();
    const { thread, command } = await control.call("command.send", { agent: agent.id, text: "one" });
    await control.publish(agent, thread, [started(command), finished(command)]);
    expect(await refusal(control.call("agent.remove", { agent: agent.id }, admin))).toBe("conflict");
    await leave();
    await control.call("agent.remove", { agent: agent.id }, admin);
    await control.call("agent.remove", { agent: agent.id }, admin);
    expect(await control.fleet()).toEqual([]);
    expect((await control.events("fleet")).filter(({ event }) => event === "agent.removed")).toEqual([
      { event: "agent.removed", data: { agent: agent.id } },
    ]);
    expect((await control.threads()).map(({ id }) => id)).toEqual([thread]);
    expect((await control.call("thread.read", { thread })).items).toHaveLength(1);
    const asked = await control.call("agent.get", { agent: agent.id });
    expect(asked).toMatchObject({ agent: { name: "kelp", status: "offline" }, removedAt: control.clock.now });
    expect(await refusal(control.call("agent.remove", { agent: "nobody" }, admin))).toBe("not_found");
    expect(await refusal(control.call("agent.get", { agent: "nobody" }))).toBe("not_found");
  });

  it("[I8] ends what waited for it, was handed to it or ran, each once, and closes its terminals", async () => {
    const { control, agent, leave } = await withGone({ capabilities: ["concurrency:2"] });
    const terminal = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    const sent: { readonly thread: string; readonly command: string }[] = [];
    for (const text of ["runs", "handed", "waits"])
      sent.push(await control.call("command.send", { agent: agent.id, text }));
    const [runs, handed, waits] = sent;
    await control.publish(agent, runs?.thread ?? "", [started(runs?.command ?? "")]);
    await leave();
    await control.call("agent.remove", { agent: agent.id }, admin);
    const endOf = async (thread = "") => {
      const { commands } = (await control.thread(thread)).data;
      return commands.map(({ state, outcome, reason }) => [state, outcome, reason]);
    };
    const reason = "its agent was removed";
    expect(await endOf(runs?.thread)).toEqual([["finished", "lost", reason]]);
    expect(await endOf(handed?.thread)).toEqual([["finished", "interrupted", reason]]);
    expect(await endOf(waits?.thread)).toEqual([["finished", "interrupted", reason]]);
    expect((await control.events(`thread/${terminal.thread.id}`)).at(-1)?.event).toBe("terminal.closed");
    for (const call of [
      control.call("command.send", { thread: runs?.thread, text: "more" }),
      control.call("command.retry", { command: waits?.command ?? "" }),
      control.call("thread.create", { agent: agent.id }),
    ])
      expect(await refusal(call)).toBe("not_found");
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: null });
  });

  it("[OP-6] its name is free, and its process comes back as a new agent where the key may enrol, else not at all", async () => {
    const { control, agent, leave } = await withGone();
    await leave();
    await control.call("agent.remove", { agent: agent.id }, admin);
    const again = await control.hello({ id: agent.id, name: "kelp" }, { key });
    expect(again.id).not.toBe(agent.id);
    expect([again.name, again.generation]).toEqual(["kelp", 1]);
    expect((await control.hello({ id: again.id, name: "kelp" }, { key })).id).toBe(again.id);
    await leave(again);
    expect(await refusal(control.hello({ id: agent.id }, { key: { id: "key-2", enrol: true } }))).toBe("forbidden");
    expect(await refusal(control.hello({ id: agent.id }, { open: false }))).toBe("forbidden");
  });

  it("[OP-7] a process of it that a cut-off node still holds is fenced, and publishes nothing", async () => {
    const { control, agent, leave } = await withGone();
    const { thread, command } = await control.call("command.send", { agent: agent.id, text: "one" });
    await leave();
    await control.call("agent.remove", { agent: agent.id }, admin);
    expect(await refusal(control.publish(agent, thread, [output(thread, "x", command)]))).toBe("fenced");
    // Its node comes back, and takes back those of its agents that are left.
    const other = await control.hello({ name: "other", process: control.newId() }, { node: "node-1" });
    await control.task("control.beat", { node: "node-1" });
    await leave(other);
    const held = [agent, other].map(({ id, connection }) => ({ id, connection }));
    await control.task("control.reclaim", { node: "node-1", agents: held });
    expect(await control.fleet()).toMatchObject([{ id: other.id, status: "online" }]);
  });
});
