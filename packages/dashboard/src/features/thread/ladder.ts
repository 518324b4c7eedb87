/**
 * The ladder that a person sees per command: *saved here → accepted → dispatched → started → finished*, with
 * *unknown* where it is unknown (CONTROL.md "Commands").
 *
 * Pure: one item per command, from what this page sent and from what the thread's log says; never both.
 */
import type { CommandOutcome } from "@holdfast/control/contract";
import type { ThreadCommand } from "@holdfast/react/thread";
import type { Send } from "../../shared/data/sends.ts";
import { duration } from "../../shared/format/time.ts";
import type { MarkShape } from "../../shared/ui/StateMark.tsx";

export const ladderSteps = ["saved here", "accepted", "dispatched", "started", "finished"] as const;

export type LadderState = "saved" | "accepted" | "dispatched" | "started" | "finished" | "unknown" | "refused";

export interface LadderItem {
  readonly key: string;
  /** Undefined until the server has accepted it. */
  readonly command: string | undefined;
  readonly text: string;
  readonly state: LadderState;
  readonly outcome: CommandOutcome | null;
  /** Index into {@link ladderSteps} of the last step that is known to have been reached. */
  readonly reached: number;
  /** The end, or why there is none, in words; empty while it goes on. */
  readonly word: string;
  readonly mark: MarkShape;
  /** When it started, on the server's clock, while it runs. */
  readonly runningSince: number | null;
  readonly progress: string | null;
}

const reachedBy: Record<LadderState, number> = {
  saved: 0,
  unknown: 0,
  refused: 0,
  accepted: 1,
  dispatched: 2,
  started: 3,
  finished: 4,
};
const outcomeMarks: Record<CommandOutcome, MarkShape> = {
  completed: "done",
  failed: "failed",
  interrupted: "stopped",
  expired: "stopped",
  lost: "unknown",
};

export function itemOfCommand(command: ThreadCommand): LadderItem {
  return {
    key: command.id,
    command: command.id,
    text: command.text,
    state: command.state,
    outcome: command.outcome,
    reached: reachedBy[command.state],
    word: endWord(command),
    mark:
      command.outcome === null ? (command.state === "started" ? "working" : "queued") : outcomeMarks[command.outcome],
    runningSince: command.state === "started" ? command.startedAt : null,
    progress: command.progress,
  };
}

export function itemOfSend(send: Send): LadderItem {
  const { state } = send;
  return {
    key: send.key,
    command: state.kind === "accepted" ? state.command : undefined,
    text: send.text,
    state: state.kind,
    outcome: null,
    reached: reachedBy[state.kind],
    word: sendWord(state),
    mark: sendMarks[state.kind],
    runningSince: null,
    progress: null,
  };
}

const sendMarks: Record<Send["state"]["kind"], MarkShape> = {
  saved: "queued",
  accepted: "queued",
  refused: "failed",
  unknown: "unknown",
};

function sendWord(state: Send["state"]): string {
  switch (state.kind) {
    case "saved":
    case "accepted":
      return "";
    case "refused":
      return `not sent: ${state.problem}`;
    case "unknown":
      return "unknown: no answer came in time; if the server has it, it shows here by itself";
  }
}

/** `completed · exit 0 · 1.2 s`. */
function endWord(command: ThreadCommand): string {
  if (command.outcome === null) return "";
  const parts = [
    command.outcome,
    command.exitCode === null ? undefined : `exit ${command.exitCode}`,
    command.durationMs === null ? undefined : duration(command.durationMs),
    command.inferred ? "end inferred" : undefined,
    command.reason ?? undefined,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

/** How many settled items are shown while the list is folded. */
export const settledShown = 2;

/** All that goes on, and the last few that have ended; in their order. */
export function recentItems(items: readonly LadderItem[]): readonly LadderItem[] {
  const settled = items.filter((item) => item.state === "finished").slice(-settledShown);
  return items.filter((item) => item.state !== "finished" || settled.includes(item));
}
