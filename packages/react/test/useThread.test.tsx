// @vitest-environment jsdom
/**
 * A conversation over a session that the test plays by hand.
 *
 * Seen red: [F64] with replies by their place; [F73] without the claim of an unanswered one, with anybody's text claimed, with
 * what was there before claimed, with one told twice, with what is told kept; [F69] with tickets forgotten, and with what was
 * said before it was saved claimed; [F74] with any signal believed, and with a cut reply that goes on; [F63] without the
 * snapshot's text; [F65] with what falls out of the stream's part forgotten, with pages kept over a reset, and with two readings
 * at once; [F69] with drafts of no person; the count with one's own messages as news; [F07] with a new `send` each time.
 */
import { ProtocolError } from "@holdfast/protocol";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetDrafts, HoldfastProvider, type ThreadOptions, type ThreadView, useThread } from "../src/index.ts";
import { commandsKeptMax } from "../src/thread/index.ts";
import { FakeSession } from "./support/fakeSession.ts";

const stream = "thread/t";
const typingLifeMs = 8_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const queued = (command: string, text: string, { sentBy = "me", queuedAt = 1_000 } = {}) => ({
  event: "command.queued",
  data: { command, text, position: 0, sentBy, value: { agent: "a", queuedAt } },
});
const started = (command: string) => ({ event: "command.started", data: { command } });
const finished = (command: string, outcome = "completed") => ({
  event: "command.finished",
  data: { command, outcome, durationMs: 5, reason: outcome === "lost" ? "its process is gone" : undefined },
});
const begun = (command: string, message: string) => ({ event: "message.started", data: { command, message } });
const delta = (command: string, message: string, text: string) => ({
  event: "text.delta",
  data: { command, message, text },
});
const whole = (command: string, message: string, text: string) => ({
  event: "message.finished",
  data: { command, message, text },
});

function open(
  fake = new FakeSession(),
  options: ThreadOptions = {},
): { fake: FakeSession; view: () => ThreadView; unmount: () => void } {
  fake.session.user = { id: "me" };
  const session = fake.asSession();
  const wrapper = ({ children }: { children: ReactNode }): ReactNode => (
    <HoldfastProvider session={session}>{children}</HoldfastProvider>
  );
  const { result, unmount } = renderHook(() => useThread("t", options), { wrapper });
  return { fake, view: () => result.current, unmount };
}

const shown = ({ messages, pending }: ThreadView): string[] => [
  ...messages.map((message) => `${message.kind} ${message.text} ${message.state}`),
  ...pending.map(({ text, state }) => `pending ${text} ${state}`),
];

const answer = async (fake: FakeSession, call: number, result: unknown): Promise<void> =>
  act(async () => fake.calls[call]?.resolve(result));
const hear = (fake: FakeSession, data: unknown): void =>
  act(() => {
    for (const listener of fake.hearers) listener({ stream, signal: "typing", data, from: "agent" });
  });

describe("useThread", () => {
  it("[F64] shows each reply under what it replies to, in whatever order they were written", () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("1", "one"), queued("2", "two"), started("1"), started("2")));
    act(() => void fake.tell(stream, 5, begun("2", "m2"), delta("2", "m2", "to t"), begun("1", "m1")));
    act(
      () => void fake.tell(stream, 8, delta("1", "m1", "to one"), delta("2", "m2", "wo"), whole("2", "m2", "to two")),
    );
    act(() => void fake.tell(stream, 11, begun("2", "m3"), delta("2", "m3", "and more")));
    expect(shown(view())).toEqual([
      "sent one started",
      "reply to one writing",
      "sent two started",
      "reply to two finished",
      "reply and more writing",
    ]);
  });

  it("[F63] goes on in the middle of an answer from a snapshot, with what is written so far", () => {
    const { fake, view } = open();
    const command = { id: "1", text: "one", sentBy: "me", state: "started", outcome: null, reason: null };
    const times = { exitCode: null, durationMs: null, queuedAt: 1, startedAt: 2, finishedAt: null, progress: null };
    act(() =>
      fake.snapshot(stream, 7, {
        thread: { agent: "a" },
        note: null,
        commands: [{ ...command, ...times, inferred: false }],
        messages: [{ id: "m", command: "1", state: "started", text: "so " }],
        terminals: [],
      }),
    );
    act(() => void fake.tell(stream, 8, delta("1", "m", "far")));
    expect(shown(view())).toEqual(["sent one started", "reply so far writing"]);
  });

  const orders = {
    "answer, then event": ["answer", "event"],
    "event, then answer": ["event", "answer"],
    "event, and the answer never": ["event", "timeout"],
    "never an answer, then the event": ["timeout", "event"],
  } as const;
  it.each(Object.entries(orders))("[F73] shows a message once: %s", async (_, steps) => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("0", "hi")));
    act(() => view().send("hi"));
    expect(shown(view())).toEqual(["sent hi accepted", "pending hi sending"]);
    for (const step of steps) {
      if (step === "event") act(() => void fake.tell(stream, 2, queued("1", "hi")));
      else if (step === "answer") await answer(fake, 0, { command: "1", thread: "t" });
      else await act(async () => fake.calls[0]?.reject(new ProtocolError("timeout", "no answer")));
      expect(shown(view()).length).toBe(2);
    }
    expect(shown(view())).toEqual(["sent hi accepted", "sent hi accepted"]);
    // It does not come back when the log no longer holds it.
    act(() => fake.reset(stream));
    expect(shown(view())).toEqual([]);
  });

  it("[F73] takes nothing of somebody else's for its own, and two that say the same for two", async () => {
    const { fake, view } = open();
    act(() => {
      view().send("hi");
      view().send("hi");
    });
    act(() => void fake.tell(stream, 1, queued("1", "hi", { sentBy: "you" })));
    expect(shown(view())).toEqual(["sent hi accepted", "pending hi sending", "pending hi sending"]);
    act(() => void fake.tell(stream, 2, queued("2", "hi")));
    expect(shown(view())).toEqual(["sent hi accepted", "sent hi accepted", "pending hi sending"]);
    await answer(fake, 1, { command: "3", thread: "t" });
    expect(shown(view()).at(-1)).toBe("pending hi accepted");
    act(() => void fake.tell(stream, 3, queued("3", "hi")));
    expect(view().pending).toEqual([]);
  });

  it("[F74] says what was refused, and of what nothing is known, until it is dismissed", async () => {
    const { fake, view } = open();
    act(() => view().send("no"));
    await act(async () => fake.calls[0]?.reject(new ProtocolError("forbidden", "viewers may not")));
    act(() => view().send("maybe"));
    await act(async () => fake.calls[1]?.reject(new ProtocolError("timeout", "no answer")));
    expect(shown(view())).toEqual(["pending no refused", "pending maybe unknown"]);
    expect(view().pending[0]?.error?.message).toBe("viewers may not");
    for (const { key } of view().pending) act(() => view().dismiss(key));
    expect(view().pending).toEqual([]);
  });

  it("[F69] shows what an earlier page left waiting, and not what it has sent itself twice", () => {
    const { fake, view } = open();
    const saved = { method: "command.send", lane: "t", isKept: true, isSent: false };
    act(() => view().send("mine"));
    act(() =>
      fake.change({
        saved: [
          { ...saved, ticket: "ticket-1", params: { thread: "t", text: "mine" }, savedAt: 5_000 },
          { ...saved, ticket: "other", params: { thread: "t", text: "from before" }, savedAt: 5_000 },
          { ...saved, ticket: "elsewhere", params: { thread: "u", text: "elsewhere" }, savedAt: 5_000 },
        ],
      }),
    );
    expect(shown(view())).toEqual(["pending from before sending", "pending mine sending"]);
    act(() => void fake.tell(stream, 1, queued("0", "from before", { queuedAt: 4_000 })));
    expect(shown(view())).toContain("pending from before sending");
    act(() => void fake.tell(stream, 2, queued("1", "from before", { queuedAt: 6_000 })));
    expect(shown(view())).not.toContain("pending from before sending");
  });

  it("[F74] typing ends when writing begins, when the command ends, and when nobody says it any more", () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("1", "one"), started("1")));
    expect(view().typing).toBe(false);
    hear(fake, { command: "1", forMs: typingLifeMs });
    expect(view().typing).toBe(true);
    act(() => void fake.tell(stream, 3, begun("1", "m")));
    expect(view().typing).toBe(false);
    act(() => void fake.tell(stream, 4, whole("1", "m", "first"), queued("2", "two"), started("2")));
    hear(fake, { command: "2", forMs: typingLifeMs });
    expect(view().typing).toBe(true);
    act(() => void vi.advanceTimersByTime(typingLifeMs));
    expect(view().typing).toBe(false);
    hear(fake, { command: "2", forMs: typingLifeMs });
    act(() => void fake.tell(stream, 7, finished("2", "lost")));
    expect(view().typing).toBe(false);
  });

  it("[F74] an answer whose process died is told as cut, with its reason, and writes no more", () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("1", "one"), started("1"), begun("1", "m"), delta("1", "m", "half")));
    expect(shown(view())).toEqual(["sent one started", "reply half writing"]);
    act(() => void fake.tell(stream, 5, finished("1", "lost")));
    expect(shown(view())).toEqual(["sent one finished", "reply half cut"]);
    expect(view().messages[0]).toMatchObject({ outcome: "lost", reason: "its process is gone" });
  });

  it("[F76] stops what is answered now, and repeats what ended as a message of its own", async () => {
    const { fake, view } = open();
    act(() => view().stop());
    act(() => void fake.tell(stream, 1, queued("1", "one"), finished("1"), queued("2", "two"), started("2")));
    act(() => view().stop());
    act(() => view().retry("1"));
    expect(fake.calls.map(({ method, params }) => ({ method, params }))).toEqual([
      { method: "command.interrupt", params: { command: "2" } },
      { method: "command.retry", params: { command: "1" } },
    ]);
    await act(async () => fake.calls[1]?.reject(new ProtocolError("conflict", "it goes on")));
    expect(view().error).toMatchObject({ message: "it goes on" });
  });

  it("counts what has news since it was read, on whatever device, and marks up to what is shown", () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("1", "one"), queued("2", "two", { sentBy: "you", queuedAt: 2_000 })));
    expect(view().unread).toBeUndefined();
    act(() => fake.snapshot("reads/me", 1, { reads: [] }));
    expect(view().unread).toBe(1);
    act(() => void fake.tell(stream, 3, finished("1")));
    expect(view().unread).toBe(2);
    act(() => view().markRead());
    expect(fake.calls.at(-1)).toMatchObject({ method: "thread.markRead", params: { thread: "t", at: 3_000 } });
    act(() => void fake.tell("reads/me", 2, { event: "thread.marked", data: { thread: "t", readAt: 3_000 } }));
    expect(view().unread).toBe(0);
  });

  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => [
      queued(`${from + index}`, `n${from + index}`),
      finished(`${from + index}`),
    ]).flat();
  const exchange = (id: string, reply: string) => ({
    command: { id, text: `n${id}`, sentBy: "me", state: "finished", outcome: "completed", reason: null },
    messages: [{ id: `m${id}`, state: "finished", text: reply }],
  });
  const texts = (view: ThreadView): string[] => view.messages.map(({ text }) => text);

  it("[F65] loads older pages in front, once each, without a hole or a repeat, whatever comes meanwhile", async () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, ...many(100, 3)));
    act(() => view().loadOlder());
    expect([view().hasOlder, fake.calls.length]).toEqual([false, 0]);
    act(() => void fake.tell(stream, 7, ...many(103, commandsKeptMax - 3)));
    expect(view().hasOlder).toBe(true);
    act(() => {
      view().loadOlder();
      view().loadOlder();
    });
    expect(fake.calls.map(({ method, params }) => [method, params])).toEqual([
      ["thread.read", { thread: "t", before: "100", limit: 50 }],
    ]);
    expect(view().loadingOlder).toBe(true);
    await answer(fake, 0, { items: [exchange("98", "r98"), exchange("99", "r99")], next: "98" });
    expect(texts(view()).slice(0, 5)).toEqual(["n98", "r98", "n99", "r99", "n100"]);
    // The stream's part keeps its bound: what falls out of it stays in view.
    act(() => void fake.tell(stream, 1_000, ...many(300, 2)));
    expect(texts(view()).length).toBe(4 + commandsKeptMax + 2);
    expect(texts(view()).slice(3, 7)).toEqual(["r99", "n100", "n101", "n102"]);
    act(() => view().loadOlder());
    await answer(fake, 1, { items: [exchange("97", "r97")] });
    expect([texts(view())[0], view().hasOlder, view().loadingOlder]).toEqual(["n97", false, false]);
    // A history that was replaced takes its pages along.
    act(() => fake.reset(stream));
    act(() => void fake.tell(stream, 1, ...many(500, 1)));
    expect(texts(view())).toEqual(["n500"]);
  });

  it("[F65] an old one that has not ended hides none of those between it and the newest", async () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, queued("0", "waits"), ...many(1, commandsKeptMax + 1)));
    expect(texts(view()).slice(0, 2)).toEqual(["waits", "n3"]);
    act(() => view().loadOlder());
    expect(fake.calls[0]).toMatchObject({ params: { before: "3" } });
    await answer(fake, 0, { items: [exchange("2", "r2")], next: "2" });
    expect(texts(view()).slice(0, 4)).toEqual(["waits", "n2", "r2", "n3"]);
    act(() => view().loadOlder());
    await answer(fake, 1, { items: [{ ...exchange("0", "r0"), messages: [] }, exchange("1", "r1")] });
    expect(texts(view()).slice(0, 4)).toEqual(["n0", "n1", "r1", "n2"].with(0, "waits"));
  });

  it("says why an older page cannot be read, and reads it when asked again", async () => {
    const { fake, view } = open();
    act(() => void fake.tell(stream, 1, ...many(0, commandsKeptMax)));
    act(() => view().loadOlder());
    await act(async () => fake.calls[0]?.reject(new ProtocolError("timeout", "no answer")));
    expect([view().error, view().hasOlder]).toEqual([expect.objectContaining({ code: "timeout" }), true]);
    act(() => view().loadOlder());
    await answer(fake, 1, { items: [] });
    expect([view().error, view().hasOlder]).toEqual([undefined, false]);
  });

  it("[F69] keeps what is typed for its person, through a reload, until it is sent", () => {
    const first = open(undefined, { person: "ada" });
    act(() => first.view().setDraft("half a thought"));
    first.unmount();
    const again = open(undefined, { person: "ada" });
    expect(again.view().draft).toBe("half a thought");
    expect(open(undefined, { person: "grace" }).view().draft).toBe("");
    expect(open().view().draft).toBe("");
    act(() => again.view().send("something else"));
    expect(again.view().draft).toBe("half a thought");
    act(() => again.view().send("half a thought"));
    expect([again.view().draft, localStorage.length]).toEqual(["", 0]);
    act(() => again.view().setDraft("secret plan"));
    act(() => forgetDrafts());
    expect([again.view().draft, localStorage.length]).toEqual(["", 0]);
    const nobody = open();
    act(() => nobody.view().setDraft("only here"));
    expect([nobody.view().draft, localStorage.length]).toEqual(["only here", 0]);
  });

  it("[F07] keeps its functions, and lets go of all it holds", () => {
    const { fake, view, unmount } = open();
    const { send, stop, retry, dismiss, markRead, setDraft, loadOlder } = view();
    act(() => void fake.tell(stream, 1, queued("1", "one"), started("1")));
    expect(view()).toMatchObject({ send, stop, retry, dismiss, markRead, setDraft, loadOlder });
    expect(fake.asked.length).toBe(2);
    unmount();
    expect([fake.readers.size, fake.listeners, fake.hearers.size]).toEqual([0, 0, 0]);
  });
});
