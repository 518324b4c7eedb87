/** The threads' fold, and the list of one agent. */
import { describe, expect, it } from "vitest";
import {
  emptyThreads,
  foldThreads,
  snapshotThreads,
  threadsFromSnapshot,
  threadsOf,
} from "../../src/shared/data/threadsState.ts";
import { makeEvent, makeThread } from "../support/sampleData.ts";

describe("threads", () => {
  it("keeps the newest word on each thread", () => {
    const one = foldThreads(emptyThreads, makeEvent("thread.created", { thread: makeThread() }));
    const two = foldThreads(one, makeEvent("thread.changed", { thread: makeThread({ title: "later" }) }));
    expect([...two.threads.values()].map((thread) => thread.title)).toEqual(["later"]);
  });

  it("lists one agent's, the newest first by creation: activity moves nothing", () => {
    const state = threadsFromSnapshot({
      threads: [
        makeThread({ id: "old", createdAt: 1, activeAt: 99 }),
        makeThread({ id: "new", createdAt: 2, activeAt: 2 }),
        makeThread({ id: "other", agent: "agent-2" }),
      ],
    });
    expect(threadsOf(state, [], { agent: "agent-1", archived: false }).map((thread) => thread.id)).toEqual([
      "new",
      "old",
    ]);
  });

  it("keeps what is archived apart, and follows it to and fro; all agents' where none is named", () => {
    const other = makeThread({ id: "other", agent: "agent-2", createdAt: 3_000 });
    const before = threadsFromSnapshot({ threads: [makeThread(), other] });
    const listed = (state: typeof before, archived: boolean, agent?: string) =>
      threadsOf(state, [], { agent, archived }).map(({ id }) => id);
    expect(listed(before, false)).toEqual(["other", "thread-1"]);
    const away = foldThreads(before, makeEvent("thread.archived", { thread: makeThread({ archivedAt: 9 }) }));
    expect([listed(away, false), listed(away, true), listed(away, true, "agent-2")]).toEqual([
      ["other"],
      ["thread-1"],
      [],
    ]);
    const back = foldThreads(away, makeEvent("thread.changed", { thread: makeThread() }));
    expect([listed(back, false), listed(back, true)]).toEqual([["other", "thread-1"], []]);
  });

  it("shows older pages once, and never over what the stream said", () => {
    const state = threadsFromSnapshot({ threads: [makeThread({ title: "fresh", createdAt: 5 })] });
    const older = [makeThread({ title: "stale", createdAt: 5 }), makeThread({ id: "older", createdAt: 1 })];
    expect(threadsOf(state, older, { agent: "agent-1", archived: false }).map((thread) => thread.title)).toEqual([
      "fresh",
      "npm test",
    ]);
  });

  it("knows when there may be older ones", () => {
    const full = Array.from({ length: snapshotThreads }, (_, index) => makeThread({ id: `t${index}` }));
    expect(threadsFromSnapshot({ threads: full }).truncated).toBe(true);
    expect(threadsFromSnapshot({ threads: full.slice(1) }).truncated).toBe(false);
  });
});
