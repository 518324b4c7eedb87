/** Who an agent is: identity, credentials, names, generations. */
import { describe, expect, it } from "vitest";
import { noticesStream, noticesWorkspace } from "../../server/src/nodes/notice.ts";
import { codes, openControl, output, refusal } from "./support/control.ts";

const enrolKey = { id: "key-1", enrol: true };
const plainKey = { id: "key-2", enrol: false };

describe("identity (OP-6)", () => {
  it("[OP-6] a key marked for enrolment makes one agent, and is that agent ever after", async () => {
    const control = await openControl();
    const first = await control.hello({}, { key: enrolKey });
    const again = await control.hello({}, { key: enrolKey });
    expect(again.id).toBe(first.id);
    expect(await control.fleet()).toHaveLength(1);
  });

  it("[OP-6] a key without enrolment makes none, nor does a person outside open mode", async () => {
    const control = await openControl();
    expect(await refusal(control.hello({}, { key: plainKey }))).toBe("forbidden");
    expect(await refusal(control.hello({}, { open: false }))).toBe("forbidden");
    expect(await control.fleet()).toEqual([]);
  });

  it("[OP-6] naming an agent: only by its own credential, in its own workspace", async () => {
    const control = await openControl();
    const keyed = await control.hello({ name: "keyed" }, { key: enrolKey });
    const free = await control.hello({ name: "free" });
    const matrix: [string, string, Parameters<typeof control.hello>[1], string][] = [
      ["keyed agent, its key", keyed.id, { key: { id: "key-1", enrol: false } }, "accepted"],
      ["keyed agent, another key", keyed.id, { key: plainKey }, "forbidden"],
      ["keyed agent, another key that may enrol", keyed.id, { key: { id: "key-3", enrol: true } }, "forbidden"],
      ["keyed agent, no key, open mode", keyed.id, { open: true }, "forbidden"],
      ["free agent, no key, open mode", free.id, { open: true }, "accepted"],
      ["free agent, no key, not open", free.id, { open: false }, "forbidden"],
      ["free agent, a key", free.id, { key: plainKey }, "forbidden"],
      ["unknown agent, open mode", control.newId(), { open: true }, "forbidden"],
      ["unknown agent, a key that may enrol", control.newId(), { key: { id: "key-4", enrol: true } }, "forbidden"],
      ["keyed agent, its key, another workspace", keyed.id, { key: enrolKey, workspace: "other" }, "forbidden"],
    ];
    for (const [title, id, as, expected] of matrix) {
      expect([title, await refusal(control.hello({ id }, as))]).toEqual([title, expected]);
    }
    expect(await control.fleet()).toHaveLength(2);
  });

  it("[OP-6] without id and key it is the agent that this process made, and never a keyed one", async () => {
    const control = await openControl();
    const process = control.newId();
    const made = await control.hello({ process });
    expect((await control.hello({ process })).id).toBe(made.id);
    const other = control.newId();
    const keyed = await control.hello({ process: other }, { key: enrolKey });
    expect((await control.hello({ process: other })).id).not.toBe(keyed.id);
  });

  it("[F28] twenty restarts are one agent with one history", async () => {
    const control = await openControl();
    const first = await control.hello({}, { key: enrolKey });
    for (let restart = 0; restart < 20; restart += 1) {
      const again = await control.hello({ id: first.id }, { key: enrolKey });
      expect(again).toMatchObject({ id: first.id, generation: restart + 2, inbox: first.inbox });
    }
    expect(await control.fleet()).toMatchObject([{ id: first.id, name: "shell", generation: 21 }]);
  });

  it("[OP-7] a newer process is told to all nodes, which may hold the one before; the first and a return are not", async () => {
    const control = await openControl();
    const { id, process } = await control.hello({}, { key: enrolKey });
    await control.hello({ id, process }, { key: enrolKey });
    expect(await control.events(noticesStream, noticesWorkspace)).toEqual([]);
    await control.hello({ id }, { key: enrolKey });
    expect(await control.events(noticesStream, noticesWorkspace)).toEqual([
      { event: "agentFenced", data: { workspace: "default", agent: id, generation: 2 } },
    ]);
  });

  it("[F29] a taken name gets the lowest free suffix, keeps it, and is told", async () => {
    const control = await openControl();
    const agents = [await control.hello(), await control.hello(), await control.hello()];
    expect(agents.map((agent) => agent.name)).toEqual(["shell", "shell-2", "shell-3"]);
    const [, second] = agents;
    expect((await control.hello({ id: second?.id, name: "shell" })).name).toBe("shell-2");
    expect((await control.hello({ id: second?.id, name: "shell-2" })).name).toBe("shell-2");
    expect((await control.hello({ id: second?.id, name: "shell" })).name).toBe("shell-2");
    // The bare name being free again does not rename whom people know by the other.
    await control.hello({ id: agents[0]?.id, name: "renamed" });
    expect((await control.hello({ id: second?.id, name: "shell" })).name).toBe("shell-2");
    await control.hello({ id: agents[0]?.id, name: "shell" });
    expect((await control.hello({ id: second?.id, name: "build" })).name).toBe("build");
    expect((await control.hello({ name: "shell" })).name).toBe("shell-2");
    expect((await control.hello({ name: "shell" }, { workspace: "other" })).name).toBe("shell");
  });

  it("[F29] a longest name still gets its suffix, and control characters never reach it", async () => {
    const control = await openControl();
    const name = "n".repeat(100);
    expect([(await control.hello({ name })).name, (await control.hello({ name })).name]).toEqual([
      name,
      `${"n".repeat(98)}-2`,
    ]);
    expect((await control.hello({ name: " a\u0000b\n\u202ec \u200b" })).name).toBe("a b c");
    expect((await control.hello({ name: "\u0007" })).name).toBe("agent");
  });

  it("[F42] an unknown kind is refused by name, not filed under another", async () => {
    const control = await openControl();
    expect(await refusal(control.hello({ kind: "SHELL" }))).toBe("bad_message");
    expect(await refusal(control.hello({ kind: "toString" }))).toBe("bad_message");
  });
});

describe("generations (OP-7)", () => {
  it("[OP-7] a new process is the next generation, a known one keeps its own", async () => {
    const control = await openControl();
    const first = await control.hello();
    expect(first.generation).toBe(1);
    expect((await control.hello({ id: first.id, process: first.process })).generation).toBe(1);
    expect((await control.hello({ id: first.id })).generation).toBe(2);
  });

  it("[OP-7] of two live processes with one id the newer wins and the older is fenced, whatever it does", async () => {
    const control = await openControl();
    const older = await control.hello();
    const { thread } = await control.call("thread.create", { agent: older.id });
    const newer = await control.hello({ id: older.id });
    const line = [output(thread.id, "x")];
    expect(await refusal(control.publish(older, thread.id, line))).toBe("fenced");
    expect(await refusal(control.hello({ id: older.id, process: older.process }))).toBe("fenced");
    expect(codes(await control.publish(newer, thread.id, line))).toEqual([null]);
    expect(await control.events(`thread/${thread.id}`)).toHaveLength(1);
    expect(await control.fleet()).toMatchObject([{ generation: 2, status: "online" }]);
  });

  it("[OP-7][OP-8] a fenced process acknowledges nothing: what it was handed since is its successor's", async () => {
    const control = await openControl();
    const older = await control.hello();
    await control.call("command.send", { agent: older.id, text: "date" });
    const acknowledged = async () =>
      await control.db
        .withTables<{ streams: { name: string; epoch: string; acknowledged: number } }>()
        .selectFrom("streams")
        .select(["epoch", "acknowledged"])
        .where("name", "=", older.inbox)
        .executeTakeFirstOrThrow();
    const { epoch } = await acknowledged();
    // It is not told yet that another speaks for the agent, to whom the same is handed again.
    const newer = await control.hello({ id: older.id });
    await control.acknowledge(older, { epoch, offset: 2 });
    expect(await acknowledged()).toEqual({ epoch, acknowledged: 0 });
    await control.acknowledge(newer, { epoch, offset: 2 });
    expect(await acknowledged()).toEqual({ epoch, acknowledged: 2 });
  });

  it("[OP-7] a fenced hello changes nothing: name, status and owner stay the newer one's", async () => {
    const control = await openControl();
    const older = await control.hello();
    const newer = await control.hello({ id: older.id });
    const before = await control.events("fleet");
    await refusal(control.hello({ id: older.id, process: older.process, name: "stolen", open: [] }));
    expect(await control.events("fleet")).toEqual(before);
    const row = await control.db.selectFrom("agents").select("connection").executeTakeFirstOrThrow();
    expect(row.connection).toBe(newer.connection);
  });

  it("[OP-7] a hello that comes after its process has sent a newer one changes nothing, and may be tried again (F51)", async () => {
    const control = await openControl();
    const first = await control.hello({}, { node: "a", attempt: 1 });
    const again = { id: first.id, process: first.process };
    // It lies at a node that is stopped, and reaches the store when that goes on.
    const newest = await control.hello(again, { node: "b", attempt: 3 });
    const { command } = await control.call("command.send", { agent: first.id, text: "date" });
    const before = [await control.events("fleet"), await control.events(first.inbox)];
    expect(await refusal(control.hello(again, { node: "a", attempt: 2 }))).toBe("unavailable");
    expect([await control.events("fleet"), await control.events(first.inbox)]).toEqual(before);
    const row = await control.db.selectFrom("agents").select(["connection", "node"]).executeTakeFirstOrThrow();
    expect(row).toEqual({ connection: newest.connection, node: "b" });
    // The same once more, as after an answer that was lost, is no older one.
    await control.hello({ ...again, open: [command] }, { node: "b", attempt: 3 });
    expect(await control.events(first.inbox)).toHaveLength(1);
  });

  it("[F19] a return in which nothing changes tells the fleet nothing", async () => {
    const control = await openControl();
    const first = await control.hello();
    const before = await control.events("fleet");
    expect(before.map(({ event }) => event)).toEqual(["agent.registered"]);
    for (let turn = 0; turn < 10; turn += 1) await control.hello({ id: first.id, process: first.process });
    expect(await control.events("fleet")).toEqual(before);
  });

  it("[OP-8] the inbox exists with the agent", async () => {
    const control = await openControl();
    const agent = await control.hello();
    expect(agent.inbox).toBe(`inbox/${agent.id}`);
    expect(await control.exists(agent.inbox)).toBe(true);
  });
});
