/** The feed: one log, two readers, bounded memory. */
import { describe, expect, it } from "vitest";
import type { DrawStep } from "../../src/features/thread/terminal/drawStep.ts";
import { queueBytesMax, ThreadFeed } from "../../src/features/thread/threadFeed.ts";
import { FakeSession } from "../support/fakeSession.ts";
import { makeCommand, makeThread, outputEvent, queuedEvent } from "../support/sampleData.ts";

const name = "thread/thread-1";
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function makeFeed(session = new FakeSession()) {
  const feed = new ThreadFeed({ session, thread: "thread-1", interactive: false });
  return { session, feed };
}

const drain = (feed: ThreadFeed): readonly DrawStep[] => {
  const steps: DrawStep[] = [];
  for (let taken = feed.take(1_000); taken.length > 0; taken = feed.take(1_000)) steps.push(...taken);
  return steps;
};

describe("ThreadFeed", () => {
  it("[I1] gives each event once, in order, to both readers, whenever it came", async () => {
    const { session, feed } = makeFeed();
    session.append(name, [
      queuedEvent(makeCommand()),
      { event: "command.started", data: { command: "command-1" } },
      outputEvent("a"),
    ]);
    feed.open();
    await settled();
    session.append(name, [
      outputEvent("b"),
      { event: "command.finished", data: { command: "command-1", outcome: "completed", durationMs: 1 } },
    ]);
    expect(drain(feed).map((step) => [step.kind, step.through])).toEqual([
      ["nothing", 1],
      ["line", 2],
      ["output", 3],
      ["output", 4],
      ["line", 5],
    ]);
    expect(feed.view()).toMatchObject({ behind: 0, loaded: true, state: { commands: [{ state: "finished" }] } });
  });

  it("[ST-11] lets go of a stream that comes faster than it is drawn, and reads on from its cursor", async () => {
    const { session, feed } = makeFeed();
    const chunk = "x".repeat(64 * 1024);
    const chunks = Math.ceil((queueBytesMax * 2.5) / chunk.length);
    session.append(
      name,
      Array.from({ length: chunks }, () => outputEvent(chunk)),
    );
    feed.open();
    feed.drawAll();
    const seen: number[] = [];
    let held = 0;
    for (let turn = 0; turn < 10_000 && seen.length < chunks; turn += 1) {
      await settled();
      const taken = feed.take(256 * 1024);
      held = Math.max(held, queueBytesOf(feed));
      seen.push(...taken.filter(({ kind }) => kind === "output").map((step) => step.through));
    }
    expect(seen).toEqual(Array.from({ length: chunks }, (_, index) => index + 1));
    expect(held).toBeLessThan(queueBytesMax * 1.5);
    expect(session.subscribed.length).toBeGreaterThan(1);
    expect(session.subscribed.at(-1)?.from).toMatchObject({ epoch: "epoch-1" });
  });

  it("[ST-6] keeps nothing of a batch in which an event throws", async () => {
    const { session, feed } = makeFeed();
    feed.open();
    await settled();
    const good = [queuedEvent(makeCommand()), outputEvent("a")];
    expect(() =>
      session.append(name, [...good, { event: "terminal.output", data: { terminal: "thread-1", data: "%%%" } }]),
    ).toThrow();
    expect(drain(feed)).toEqual([]);
    expect(feed.view().state.commands).toEqual([]);
  });

  it("starts over for a new screen: a terminal that is opened again gets all of it", async () => {
    const { session, feed } = makeFeed();
    session.append(name, [outputEvent("a"), outputEvent("b")]);
    feed.open();
    await settled();
    feed.onSteps(() => undefined)();
    const before = drain(feed);
    expect(before.map((step) => step.through)).toEqual([1, 2]);
    feed.onSteps(() => undefined);
    await settled();
    expect(drain(feed)).toEqual(before);
  });

  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const terminal = "thread-1";
  const drawn = (feed: ThreadFeed): unknown[] =>
    drain(feed).map((step) => ("bytes" in step ? `${step.kind} ${Buffer.from(step.bytes).toString()}` : step.kind));
  /** A thread of 100 events whose end is a screen and two outputs. */
  const longThread = (session: FakeSession): void => {
    session.append(
      name,
      Array.from({ length: 100 }, (_, index) => outputEvent(`${index} `)),
    );
    session.stream(name).snapshot = {
      thread: makeThread(),
      note: "noted",
      commands: [{ ...makeCommand({ state: "started", startedAt: 5 }), progress: "half", inferred: false }],
      messages: [],
      terminals: [{ terminal, cols: 100, rows: 30, earlier: true }],
      drawing: [
        {
          offset: 90,
          through: 90,
          at: 1,
          event: "terminal.screen",
          data: { terminal, cols: 100, rows: 30, data: base64("screen") },
        },
        { offset: 91, through: 100, at: 2, event: "terminal.output", data: { terminal, data: base64("after") } },
      ],
    };
  };

  it("[ST-10] opens a long thread with its snapshot, and goes on from its offset", async () => {
    const { session, feed } = makeFeed();
    longThread(session);
    feed.open();
    await settled();
    expect(feed.view()).toMatchObject({
      hasEarlier: true,
      loaded: true,
      state: {
        note: "noted",
        size: { cols: 100, rows: 30 },
        commands: [{ state: "started", progress: "half", startedAt: 5 }],
      },
    });
    session.append(name, [
      outputEvent("live"),
      // Nothing is missing after the screen: a later one need not be drawn over it.
      { event: "terminal.screen", data: { terminal, cols: 100, rows: 30, data: base64("later") } },
    ]);
    expect(drawn(feed)).toEqual(["screen screen", "output after", "output live", "nothing"]);
    expect(session.subscribed).toEqual([{ stream: name, from: "latest" }]);
  });

  it("draws all of a long thread where that is asked for", async () => {
    const { session, feed } = makeFeed();
    longThread(session);
    feed.open();
    await settled();
    drain(feed);
    feed.drawAll();
    await settled();
    const steps = drawn(feed);
    expect(steps).toHaveLength(101);
    expect(steps.slice(0, 3)).toEqual(["clear", "output 0 ", "output 1 "]);
    expect(feed.view()).toMatchObject({ hasEarlier: false, loaded: true });
  });

  it("[F57][ST-2] keeps what it has drawn where another view takes a snapshot, and misses nothing of it", async () => {
    const { session, feed } = makeFeed();
    longThread(session);
    feed.open();
    feed.drawAll();
    await settled();
    expect(drain(feed)).toHaveLength(101);
    const { feed: second } = makeFeed(session);
    second.open();
    await settled();
    session.append(name, [outputEvent("live")]);
    expect(drawn(feed)).toEqual(["output live"]);
    expect(drawn(second)).toEqual(["screen screen", "output after", "output live"]);

    // Behind when the snapshot came: it reads on from where it was.
    const late = { ...outputEvent("late"), stream: name, offset: 102, through: 102, at: 1 };
    session.stream(name).log.push(late);
    makeFeed(session).feed.open();
    await settled();
    session.append(name, [outputEvent("later")]);
    expect(drawn(feed)).toEqual(["output late", "output later"]);
  });

  it("[ST-3] a history that was restored is drawn anew from the snapshot, and said", async () => {
    const { session, feed } = makeFeed();
    longThread(session);
    feed.open();
    await settled();
    drain(feed);
    session.reset(name, { reason: "epoch", lost: undefined });
    expect(drawn(feed)).toEqual(["clear", "screen screen", "output after"]);
    expect(feed.view()).toMatchObject({ told: "this thread's history was restored or rewritten" });
  });

  it("reads nothing after it was closed", async () => {
    const { session, feed } = makeFeed();
    feed.open();
    feed.close();
    await settled();
    session.append(name, [outputEvent("a")]);
    expect(drain(feed)).toEqual([]);
  });
});

/** Looks at what it holds: there is no other way to see a bound. */
const queueBytesOf = (feed: ThreadFeed): number => (feed as unknown as { queueBytes: number }).queueBytes;
