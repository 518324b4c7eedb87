/** The connection in words, for every state that there is. */
import type { SessionState } from "@holdfast/client";
import { describe, expect, it } from "vitest";
import { connectionFacts } from "../../src/features/connection/connectionFacts.ts";
import { diagnostics } from "../../src/features/connection/diagnostics.ts";
import { changesKeptMax, emptyHistory, recordState } from "../../src/shared/data/connectionHistory.ts";

const facts = (state: SessionState, change: { outbox?: number; freshAt?: number; httpAnswers?: boolean } = {}) =>
  connectionFacts({
    state,
    outbox: change.outbox ?? 0,
    freshAt: change.freshAt,
    now: 10_000,
    address: "http://localhost:5173",
    httpAnswers: change.httpAnswers,
  });

describe("connectionFacts", () => {
  it("[CL-11] has words for every state", () => {
    const states: readonly SessionState[] = [
      { kind: "idle" },
      { kind: "authenticating" },
      { kind: "connecting", attempt: 1 },
      { kind: "live" },
      { kind: "catchingUp", behind: 412 },
      { kind: "degraded", reason: "store_unavailable", since: 1 },
      { kind: "waiting", attempt: 2, retryAt: 13_000, reason: "no pong" },
      { kind: "offline" },
      { kind: "stopped", reason: "auth_failed" },
    ];
    for (const state of states) {
      const told = facts(state);
      expect(told.link.text, state.kind).not.toBe("");
      expect(told.data.text, state.kind).not.toBe("");
      expect(told.reason, state.kind).toMatch(/\.$/);
    }
  });

  it("tells link, data and sends apart", () => {
    expect(facts({ kind: "live" })).toMatchObject({
      link: { text: "live" },
      data: { isFresh: true, text: "up to date" },
      sends: undefined,
    });
    expect(facts({ kind: "catchingUp", behind: 412 }, { outbox: 2 })).toMatchObject({
      data: { isFresh: false, text: "catching up, 412 events to go" },
      sends: "2 waiting",
    });
    expect(facts({ kind: "waiting", attempt: 2, retryAt: 12_100, reason: "no pong" }, { freshAt: 5 })).toMatchObject({
      link: { kind: "lost", text: "reconnecting in 3 s" },
      retryAt: 12_100,
      canTryNow: true,
    });
  });

  it("says that only this page is cut off, and never that an agent is", () => {
    expect(facts({ kind: "offline" }).reason).toMatch(/Only this page is cut off/);
  });

  it("knows the ends that a sign-in mends", () => {
    for (const reason of ["signed_out", "auth_failed", "forbidden"]) {
      expect(facts({ kind: "stopped", reason }), reason).toMatchObject({ needsSignIn: true, canTryNow: false });
    }
    for (const reason of ["protocol_fault", "unsupported_protocol: 2 is not in 1…1", "bad things"])
      expect(facts({ kind: "stopped", reason }), reason).toMatchObject({ needsSignIn: false, canTryNow: true });
  });

  it.each(["signed_out", "auth_failed", "forbidden", "protocol_fault", "unsupported_protocol: 2 is not in 1…1"])(
    "says of %s what happened and what to do, and no code of ours",
    (reason) => {
      const told = facts({ kind: "stopped", reason }).reason;
      expect(told).toMatch(/sign in again|reload/i);
      expect(told).toMatch(/what you typed is kept/);
      expect(told).not.toMatch(/_/);
    },
  );

  it("[CL-10] says of a proxy without upgrades what the doctor says, once HTTP is known to get through", () => {
    const state = { kind: "waiting", attempt: 4, retryAt: 13_000, reason: "closed 1006" } as const;
    const told = facts(state, { httpAnswers: true });
    expect(told).toMatchObject({ needsPerson: true, canTryNow: true });
    expect(told.reason).toMatch(/in between \(a proxy\) does not pass the upgrade on/);
    for (const httpAnswers of [false, undefined])
      expect(facts(state, httpAnswers === undefined ? {} : { httpAnswers })).toMatchObject({
        needsPerson: false,
        reason: expect.stringMatching(/^The connection was lost\./),
      });
    // Who refuses by name is not suspected of being a proxy.
    expect(facts({ ...state, reason: "origin refused" }, { httpAnswers: true }).reason).toMatch(/refuses this page/);
  });

  it("says at which address the page is refused, and what to do; other losses mend by themselves", () => {
    const refused = facts({ kind: "waiting", attempt: 4, retryAt: 13_000, reason: "origin refused" });
    expect(refused).toMatchObject({ needsPerson: true, canTryNow: true });
    expect(refused.reason).toContain("http://localhost:5173");
    for (const reason of ["no pong", "closed 1006", "server unreachable", "the server stops"]) {
      const lost = facts({ kind: "waiting", attempt: 1, retryAt: 13_000, reason });
      expect(lost.needsPerson, reason).toBe(false);
      expect(lost.reason, reason).not.toMatch(/1006|pong/);
    }
  });

  it("quotes a reason that it does not know", () => {
    const waiting = facts({ kind: "waiting", attempt: 1, retryAt: 13_000, reason: "the server stops" });
    expect(waiting.reason).toContain("“the server stops”");
    expect(facts({ kind: "stopped", reason: "constructor" }).reason).toContain("“constructor”");
    const inherited = facts({ kind: "waiting", attempt: 1, retryAt: 13_000, reason: "constructor" });
    expect(inherited.reason).toContain("“constructor”");
  });

  it("[O6] shows what is invisible in a server's reason", () => {
    expect(facts({ kind: "stopped", reason: "a\u202eb" }).reason).toContain("a⟨202E⟩b");
  });
});

describe("connection history", () => {
  const live = { kind: "live" } as const;
  const lost = { kind: "waiting", attempt: 1, retryAt: 0, reason: "x" } as const;

  it("knows since when there is no link, over all states that have none", () => {
    let history = recordState(emptyHistory, live, 1_000);
    expect(history.unlinkedSince).toBeUndefined();
    history = recordState(history, lost, 2_000);
    history = recordState(history, { kind: "connecting", attempt: 2 }, 3_000);
    expect(history).toMatchObject({ unlinkedSince: 2_000, freshAt: 2_000 });
    expect(recordState(history, { kind: "catchingUp", behind: 1 }, 4_000).unlinkedSince).toBeUndefined();
  });

  it("keeps a bounded number of changes", () => {
    let history = emptyHistory;
    for (let at = 0; at < 200; at += 1) history = recordState(history, at % 2 === 0 ? live : lost, at);
    expect(history.changes).toHaveLength(changesKeptMax);
  });

  it("copies diagnostics that hold the page's life and nothing secret", () => {
    const text = diagnostics({
      at: 0,
      version: "0.1.0",
      mode: "local",
      user: "user-1",
      state: lost,
      statistics: {
        received: 1,
        applied: 1,
        duplicatesSuppressed: 0,
        gapsRepaired: 0,
        reconnects: 2,
        longestGapMs: 9,
        unknownMessages: 0,
        problems: 0,
      },
      outbox: 1,
      clockOffset: 3,
      history: recordState(emptyHistory, lost, 5),
      browser: "test",
      online: true,
    });
    expect(JSON.parse(text)).toMatchObject({
      state: { kind: "waiting" },
      unlinkedSince: "1970-01-01T00:00:00.005Z",
      changes: [{ kind: "waiting" }],
    });
  });
});
