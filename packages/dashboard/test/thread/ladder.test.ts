/** The ladder of a command, in words. */

import { emptyThread, foldThread, type ThreadCommand } from "@holdfast/react/thread";
import { describe, expect, it } from "vitest";
import { itemOfCommand, itemOfSend, ladderSteps, recentItems, settledShown } from "../../src/features/thread/ladder.ts";
import { makeCommand, makeEvent, queuedEvent } from "../support/sampleData.ts";

function commandAfter(...events: readonly { event: string; data: unknown }[]): ThreadCommand {
  const all = [queuedEvent(makeCommand()), ...events];
  const state = all.reduce((before, { event, data }) => foldThread(before, makeEvent(event, data)), emptyThread);
  const [command] = state.commands;
  if (command === undefined) throw new Error("the fold lost the command");
  return command;
}
const started = { event: "command.started", data: { command: "command-1" } };
const finished = (data: object) => ({
  event: "command.finished",
  data: { command: "command-1", durationMs: 5, ...data },
});
const send = { key: "k", target: { kind: "thread", thread: "t" }, text: "ls", savedAt: 1 } as const;

describe("ladder", () => {
  it("names the step that is reached", () => {
    expect(ladderSteps[itemOfSend({ ...send, state: { kind: "saved" } }).reached]).toBe("saved here");
    expect(ladderSteps[itemOfCommand(commandAfter()).reached]).toBe("accepted");
    expect(itemOfCommand(commandAfter(started))).toMatchObject({
      reached: 3,
      mark: "working",
      runningSince: 2_000,
      word: "",
    });
  });

  it("tells each outcome apart by mark and word", () => {
    const outcomes = ["completed", "failed", "interrupted", "expired", "lost"] as const;
    expect(outcomes.map((outcome) => itemOfCommand(commandAfter(finished({ outcome }))).mark)).toEqual([
      "done",
      "failed",
      "stopped",
      "stopped",
      "unknown",
    ]);
    expect(itemOfCommand(commandAfter(finished({ outcome: "failed", exitCode: 2, reason: "no such file" }))).word).toBe(
      "failed · exit 2 · 5 ms · no such file",
    );
  });

  it("[RQ-3] never shows an unknown send as sent or failed", () => {
    const item = itemOfSend({ ...send, state: { kind: "unknown" } });
    expect(item).toMatchObject({ state: "unknown", mark: "unknown", command: undefined });
    expect(item.word).toMatch(/^unknown/);
  });

  it("shows all that goes on and the last few that ended, in their order", () => {
    const done = (id: string) => itemOfCommand({ ...commandAfter(finished({ outcome: "completed" })), id });
    const running = { ...itemOfCommand(commandAfter(started)), key: "running" };
    expect(recentItems([done("1"), running, done("2"), done("3"), done("4")]).map((item) => item.key)).toEqual([
      "running",
      "3",
      "4",
    ]);
    expect(settledShown).toBe(2);
  });
});
