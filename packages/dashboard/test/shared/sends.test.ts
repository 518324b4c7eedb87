/** What was sent and not yet seen: nothing is shown twice, nothing unknown as known. */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { reduceSends, type Send, sendsKeptMax, sendsOfAgent, sendsOfThread } from "../../src/shared/data/sends.ts";
import { SendsStore } from "../../src/shared/data/sendsStore.ts";
import { FakeSession } from "../support/fakeSession.ts";

const target = { kind: "thread", thread: "thread-1" } as const;
const saved = (key: string): readonly Send[] =>
  reduceSends([], { kind: "saved", send: { key, target, text: "ls", savedAt: 1 } });

describe("sends", () => {
  it("shows an accepted one until the log has it, and then no more", () => {
    const sends = reduceSends(saved("k"), { kind: "accepted", key: "k", command: "c1", thread: "thread-1" });
    expect(sendsOfThread(sends, "thread-1", () => false)).toHaveLength(1);
    expect(sendsOfThread(sends, "thread-1", (command) => command === "c1")).toHaveLength(0);
    expect(sendsOfThread(sends, "thread-2", () => false)).toHaveLength(0);
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
    const store = new SendsStore(session);
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
    const store = new SendsStore(session);
    await expect(store.send(target, "ls")).resolves.toEqual({ kind: "unknown" });
    expect(store.sends()[0]?.state).toEqual({ kind: "unknown" });
  });

  it("says why one was refused, and what to do", async () => {
    const session = new FakeSession();
    session.answer = () => Promise.reject(new ProtocolError("queue_full", "agent build-01 has 1,000 commands queued"));
    const store = new SendsStore(session);
    await store.send(target, "ls");
    expect(store.sends()[0]?.state).toEqual({
      kind: "refused",
      problem: "Agent build-01 has 1,000 commands queued. Cancel or wait for queued commands of this agent.",
    });
  });

  it("takes back one that was withdrawn", async () => {
    const session = new FakeSession();
    session.answer = () => new Promise(() => undefined);
    const store = new SendsStore(session);
    const result = store.send(target, "ls");
    store.withdraw(store.sends()[0]?.key ?? "");
    await expect(result).resolves.toEqual({ kind: "withdrawn" });
    expect(store.sends()).toEqual([]);
  });
});
