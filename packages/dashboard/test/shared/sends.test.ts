// @vitest-environment jsdom
/** What was sent and not yet seen: nothing is shown twice, nothing unknown as known. */
import { ProtocolError } from "@holdfast/protocol";
import { forgetDrafts, openDrafts } from "@holdfast/react/drafts";
import { describe, expect, it, vi } from "vitest";
import {
  reduceSends,
  type Send,
  sendsKeptMax,
  sendsOfAgent,
  sendsOfThread,
  type ThreadLog,
} from "../../src/shared/data/sends.ts";
import { SendsStore } from "../../src/shared/data/sendsStore.ts";
import { FakeSession, savedSend } from "../support/fakeSession.ts";

const withdrawnError = new ProtocolError("unavailable", "withdrawn", { details: { reason: "withdrawn" } });
const target = { kind: "thread", thread: "thread-1" } as const;
const saved = (key: string): readonly Send[] =>
  reduceSends([], { kind: "saved", send: { key, target, text: "ls", savedAt: 1 } });

const nothingLogged: ThreadLog = { commands: [], user: "ada", clockOffset: 1_000 };
/** What a page whose clock is a second behind reads of what was saved at 1 and taken at once. */
const logOf = (command: object): ThreadLog => ({
  ...nothingLogged,
  commands: [{ id: "c", text: "ls", sentBy: "ada", queuedAt: 1_001, ...command }],
});

describe("sends", () => {
  it("shows an accepted one until the log has it, and then no more", () => {
    const sends = reduceSends(saved("k"), { kind: "accepted", key: "k", command: "c1", thread: "thread-1" });
    expect(sendsOfThread(sends, "thread-1", nothingLogged)).toHaveLength(1);
    expect(sendsOfThread(sends, "thread-1", logOf({ id: "c1" }))).toHaveLength(0);
    expect(sendsOfThread(sends, "thread-2", nothingLogged)).toHaveLength(0);
  });

  it.each([
    ["saved", undefined],
    ["unknown", { kind: "unknown", key: "k" }],
  ] as const)("[F73] one that is %s is not shown beside the log that has it", (_, action) => {
    const sends = action === undefined ? saved("k") : reduceSends(saved("k"), action);
    expect(sendsOfThread(sends, "thread-1", logOf({ id: "c1" }))).toEqual([]);
    // Not its own: another text, another person's, one from before, one that is another send's.
    for (const other of [{ text: "pwd" }, { sentBy: "bob" }, { queuedAt: 1_000 }])
      expect(sendsOfThread(sends, "thread-1", logOf({ id: "c1", ...other }))).toHaveLength(1);
    const two = reduceSends([...sends, ...saved("l")], {
      kind: "accepted",
      key: "l",
      command: "c1",
      thread: "thread-1",
    });
    expect(sendsOfThread(two, "thread-1", logOf({ id: "c1" })).map(({ key }) => key)).toEqual(["k"]);
    expect(sendsOfThread([...sends, ...saved("l")], "thread-1", logOf({ id: "c1" })).map(({ key }) => key)).toEqual([
      "l",
    ]);
  });

  it("[F74] one that was refused stays until it is dismissed, whatever the log has", () => {
    const sends = reduceSends(saved("k"), { kind: "refused", key: "k", problem: "no" });
    expect(sendsOfThread(sends, "thread-1", logOf({ id: "c1" }))).toHaveLength(1);
  });

  it("shows one for an agent until it has a thread", () => {
    const sends = reduceSends([], {
      kind: "saved",
      send: { key: "k", target: { kind: "agent", agent: "a" }, text: "ls", savedAt: 1 },
    });
    expect(sendsOfAgent(sends, "a")).toHaveLength(1);
    expect(
      sendsOfAgent(reduceSends(sends, { kind: "accepted", key: "k", command: "c", thread: "t" }), "a"),
    ).toHaveLength(0);
  });

  it("forgets the oldest settled ones above its limit, never one that is saved", () => {
    let sends = saved("first");
    for (let index = 0; index < sendsKeptMax; index += 1) {
      sends = reduceSends(sends, { kind: "saved", send: { key: `k${index}`, target, text: "x", savedAt: 1 } });
      sends = reduceSends(sends, { kind: "unknown", key: `k${index}` });
    }
    expect(sends).toHaveLength(sendsKeptMax);
    expect(sends[0]?.key).toBe("first");
  });
});

describe("SendsStore", () => {
  it("[RQ-3] sends durably in its thread's lane and tells the answer", async () => {
    const session = new FakeSession();
    session.answer = async () => ({ command: "c1", thread: "thread-1", position: 0 });
    const store = new SendsStore(session, openDrafts("ada"));
    await expect(store.send(target, "ls")).resolves.toEqual({ kind: "accepted", thread: "thread-1" });
    expect(session.calls).toEqual([
      {
        method: "command.send",
        params: { thread: "thread-1", text: "ls" },
        options: expect.objectContaining({ durable: true, lane: "thread-1" }),
      },
    ]);
    expect(store.sends()[0]?.state).toEqual({ kind: "accepted", command: "c1", thread: "thread-1" });
  });

  it("[RQ-3] calls a timeout unknown, not failed", async () => {
    const session = new FakeSession();
    session.answer = () => Promise.reject(new ProtocolError("timeout", "no answer in 30,000 ms"));
    const store = new SendsStore(session, openDrafts("ada"));
    await expect(store.send(target, "ls")).resolves.toEqual({ kind: "unknown" });
    expect(store.sends()[0]?.state).toEqual({ kind: "unknown" });
  });

  it("says why one was refused, and what to do", async () => {
    const session = new FakeSession();
    session.answer = () => Promise.reject(new ProtocolError("queue_full", "agent build-01 has 1,000 commands queued"));
    const store = new SendsStore(session, openDrafts("ada"));
    await store.send(target, "ls");
    expect(store.sends()[0]?.state).toEqual({
      kind: "refused",
      problem: "Agent build-01 has 1,000 commands queued. Cancel or wait for queued commands of this agent.",
    });
  });

  it("takes back one that was withdrawn", async () => {
    const session = new FakeSession();
    const asked = Promise.withResolvers<unknown>();
    session.answer = () => asked.promise;
    const store = new SendsStore(session, openDrafts("ada"));
    const result = store.send(target, "ls");
    store.withdraw(store.sends()[0]?.key ?? "");
    expect(session.withdrawn).toEqual(["ticket of call 1"]);
    asked.reject(withdrawnError);
    await expect(result).resolves.toEqual({ kind: "withdrawn" });
    expect(store.sends()).toEqual([]);
  });

  it("[RQ-3] shows what an earlier page left waiting, and what becomes of it", async () => {
    const session = new FakeSession();
    const asked = Promise.withResolvers<unknown>();
    session.outcomes = () => asked.promise;
    session.saved = [savedSend("ticket-1", "make test")];
    const store = new SendsStore(session, openDrafts("ada"));
    store.onChange(() => undefined);
    expect(store.sends()).toMatchObject([{ key: "ticket-1", text: "make test", state: { kind: "saved" } }]);
    session.become({ kind: "live" });
    expect(store.sends()).toHaveLength(1);
    asked.resolve({ command: "c1", thread: "thread-1", position: 0 });
    await vi.waitFor(() => expect(store.sends()[0]?.state).toMatchObject({ kind: "accepted", command: "c1" }));
  });

  it("[RQ-3] takes back what an earlier page left waiting: its text is a draft again", async () => {
    forgetDrafts();
    const session = new FakeSession();
    const asked = Promise.withResolvers<unknown>();
    session.outcomes = () => asked.promise;
    session.saved = [savedSend("ticket-1", "make test")];
    const store = new SendsStore(session, openDrafts("ada"));
    store.onChange(() => undefined);
    store.withdraw("ticket-1");
    asked.reject(withdrawnError);
    await vi.waitFor(() => expect(store.sends()).toEqual([]));
    expect(session.withdrawn).toEqual(["ticket-1"]);
    expect(openDrafts("ada").text("thread/thread-1")).toBe("make test");
  });

  it("[RQ-3] does not show its own sends twice", async () => {
    const session = new FakeSession();
    session.answer = () => new Promise(() => undefined);
    const store = new SendsStore(session, openDrafts("ada"));
    store.onChange(() => undefined);
    void store.send(target, "ls");
    session.saved = [savedSend("ticket of call 1", "ls")];
    session.become({ kind: "live" });
    expect(store.sends()).toHaveLength(1);
  });

  it("keeps nothing of a thousand sends that were settled, whichever way; nor shows one that is told late", async () => {
    const session = new FakeSession();
    const store = new SendsStore(session, openDrafts("ada"));
    store.onChange(() => undefined);
    const outcomes = [
      () => Promise.resolve({ command: "c", thread: "thread-1", position: 0 }),
      () => Promise.reject(new ProtocolError("timeout", "no answer in 30,000 ms")),
      () => Promise.reject(new ProtocolError("queue_full", "agent build-01 has 1,000 commands queued")),
      () => Promise.reject(withdrawnError),
    ];
    for (let index = 0; index < 1_000; index += 1) {
      session.answer = outcomes[index % outcomes.length] ?? session.answer;
      await store.send(target, "ls");
    }
    expect(store["tickets"].size).toBe(0);

    // Its answer came, and the session's list does not know yet.
    session.answer = async () => ({ command: "c1", thread: "thread-1", position: 0 });
    const sending = store.send(target, "ls");
    session.saved = [savedSend("ticket of call 1001", "ls")];
    await sending;
    session.become({ kind: "live" });
    expect(store.sends().filter(({ key }) => key === "ticket of call 1001")).toEqual([]);
    session.saved = [];
    session.become({ kind: "live" });
    expect(store["tickets"].size).toBe(0);
  });
});
