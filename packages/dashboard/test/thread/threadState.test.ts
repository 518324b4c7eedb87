/** The fold of a thread's log, on events as the contract has them. */
import type { AgentEventData, ControlMethods, ThreadServerEventData } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import {
  commandsKeptMax,
  emptyThread,
  foldThread,
  readsStream,
  type ThreadEventData,
  type ThreadMethods,
  type ThreadState,
  threadStream,
} from "@holdfast/react/thread";
import { describe, expect, it } from "vitest";
import { makeCommand, makeEvent, outputEvent, queuedEvent } from "../support/sampleData.ts";

const fold = (events: readonly { event: string; data: unknown }[], from: ThreadState = emptyThread): ThreadState =>
  events.reduce((state, { event, data }) => foldThread(state, makeEvent(event, data)), from);

const queued = queuedEvent(makeCommand());
const started = { event: "command.started", data: { command: "command-1" } };
const finished = {
  event: "command.finished",
  data: { command: "command-1", outcome: "failed", exitCode: 2, durationMs: 30 },
};

describe("thread", () => {
  it("goes up the ladder as the log says", () => {
    const states = [queued, { event: "command.dispatched", data: { command: "command-1" } }, started, finished].map(
      (_, index, all) => fold(all.slice(0, index + 1)).commands[0]?.state,
    );
    expect(states).toEqual(["accepted", "dispatched", "started", "finished"]);
    expect(fold([queued, started, finished])).toMatchObject({
      agent: "agent-1",
      commands: [{ outcome: "failed", exitCode: 2, durationMs: 30, startedAt: 2_000 }],
    });
  });

  it("never moves a finished command back", () => {
    expect(fold([queued, finished, started]).commands[0]).toMatchObject({ state: "finished", outcome: "failed" });
    const lost = { event: "command.finished", data: { command: "command-1", outcome: "lost", durationMs: 1 } };
    expect(fold([queued, finished, lost]).commands[0]?.outcome).toBe("failed");
  });

  it("returns the same object where nothing changed, so that output costs no drawing", () => {
    const state = fold([queued, started]);
    expect(foldThread(state, makeEvent("terminal.output", outputEvent("x").data))).toBe(state);
    expect(foldThread(state, makeEvent("text.unheard", {}))).toBe(state);
    expect(fold([queued], state)).toBe(state);
  });

  it("keeps a bounded number of commands, and every one that is not finished", () => {
    const events = Array.from({ length: commandsKeptMax + 50 }, (_, index) => {
      const id = `c${index}`;
      return [
        queuedEvent(makeCommand({ id })),
        ...(index === 0
          ? []
          : [{ event: "command.finished", data: { command: id, outcome: "completed", durationMs: 1 } }]),
      ];
    }).flat();
    const { commands } = fold(events);
    expect(commands).toHaveLength(commandsKeptMax);
    expect(commands[0]?.id).toBe("c0");
    expect(commands.at(-1)?.id).toBe(`c${commandsKeptMax + 49}`);
  });

  it("knows the terminal's size and its end", () => {
    const state = fold([
      { event: "terminal.resized", data: { terminal: "t", cols: 120, rows: 40 } },
      { event: "terminal.closed", data: { terminal: "t", exitCode: 0 } },
    ]);
    expect(state).toMatchObject({ size: { cols: 120, rows: 40 }, closed: { exitCode: 0, reason: null } });
    expect(fold([outputEvent("again")], state).closed).toBeNull();
  });

  it("[F27] reads events and streams, and calls methods, that are the contract's", () => {
    type Published = AgentEventData & ThreadServerEventData;
    // Each is `never` where the contract says anything else: then this does not compile.
    type Read = { [Name in keyof ThreadEventData]: Published[Name] extends ThreadEventData[Name] ? true : never };
    const read: Read = {
      "command.queued": true,
      "command.progress": true,
      "command.finished": true,
      "message.started": true,
      "text.delta": true,
      "message.finished": true,
      "terminal.resized": true,
      "terminal.closed": true,
      note: true,
    };
    expect(Object.values(read)).not.toContain(false);
    type Calls = {
      [Name in keyof ThreadMethods]: ThreadMethods[Name]["params"] extends ControlMethods[Name]["params"]
        ? ControlMethods[Name]["result"] extends ThreadMethods[Name]["result"]
          ? true
          : never
        : never;
    };
    const called: Calls = {
      "thread.read": true,
      "command.send": true,
      "command.interrupt": true,
      "command.retry": true,
      "thread.markRead": true,
    };
    expect(Object.values(called)).not.toContain(false);
    expect(threadStream("thread-1")).toBe(streams.thread("thread-1"));
    expect(readsStream("user-1")).toBe(streams.reads("user-1"));
  });
});
