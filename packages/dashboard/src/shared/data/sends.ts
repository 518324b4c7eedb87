/**
 * What this page has sent and not yet seen in its thread's log: the first steps of the ladder
 * *saved here → accepted*, and *unknown*.
 *
 *   saved ──answer──► accepted ──seen in the log──► (gone: the log tells the rest)
 *     ├──refused──► refused ──dismissed──► (gone)
 *     ├──no answer──► unknown ──seen in the log, or dismissed──► (gone)
 *     └──withdrawn──► (gone)
 *
 * Pure. Invariant: a send is never dropped from `saved`, and `unknown` is never shown as anything else.
 */
import type { ThreadCommand } from "@holdfast/react/thread";

/** Older settled sends beyond this many are forgotten. */
export const sendsKeptMax = 100;

export type SendTarget =
  | { readonly kind: "agent"; readonly agent: string }
  | { readonly kind: "thread"; readonly thread: string };

export interface Send {
  /** The page's own key; the request's id is the session's. */
  readonly key: string;
  readonly target: SendTarget;
  readonly text: string;
  readonly savedAt: number;
  readonly state:
    | { readonly kind: "saved" }
    | { readonly kind: "accepted"; readonly command: string; readonly thread: string }
    | { readonly kind: "refused"; readonly problem: string }
    | { readonly kind: "unknown" };
}

export type SendsAction =
  | { readonly kind: "saved"; readonly send: Omit<Send, "state"> }
  | { readonly kind: "accepted"; readonly key: string; readonly command: string; readonly thread: string }
  | { readonly kind: "refused"; readonly key: string; readonly problem: string }
  | { readonly kind: "unknown"; readonly key: string }
  | { readonly kind: "gone"; readonly key: string };

export function reduceSends(sends: readonly Send[], action: SendsAction): readonly Send[] {
  switch (action.kind) {
    case "saved":
      return bounded([...sends, { ...action.send, state: { kind: "saved" } }]);
    case "accepted":
      return replace(sends, action.key, { kind: "accepted", command: action.command, thread: action.thread });
    case "refused":
      return replace(sends, action.key, { kind: "refused", problem: action.problem });
    case "unknown":
      return replace(sends, action.key, { kind: "unknown" });
    case "gone":
      return sends.filter((send) => send.key !== action.key);
  }
}

/** What the log of a thread says, as far as a send needs it. */
export interface ThreadLog {
  readonly commands: readonly Pick<ThreadCommand, "id" | "text" | "sentBy" | "queuedAt">[];
  /** Who sends here; undefined before the first connection. */
  readonly user: string | undefined;
  /** From this page's clock to the server's, ms. */
  readonly clockOffset: number;
}

/**
 * What still has to be shown beside the log of `thread`: nothing twice, in whatever order answer and event come (F73). One
 * that has no answer is the first of ours in the log that says the same, was taken later, and is nobody else's.
 */
export function sendsOfThread(sends: readonly Send[], thread: string, log: ThreadLog): readonly Send[] {
  const { commands, user, clockOffset } = log;
  const inLog = new Set(commands.map(({ id }) => id));
  const taken = new Set(sends.flatMap(({ state }) => (state.kind === "accepted" ? state.command : [])));
  return sends.filter(({ state, target, text, savedAt }) => {
    if (state.kind === "accepted") return state.thread === thread && !inLog.has(state.command);
    if (target.kind !== "thread" || target.thread !== thread) return false;
    if (state.kind === "refused") return true;
    const told = commands.find(
      (one) => one.text === text && one.sentBy === user && one.queuedAt >= savedAt + clockOffset && !taken.has(one.id),
    );
    if (told !== undefined) taken.add(told.id);
    return told === undefined;
  });
}

/** What was sent to start a new thread with `agent` and has no thread yet. */
export function sendsOfAgent(sends: readonly Send[], agent: string): readonly Send[] {
  return sends.filter(
    (send) => send.target.kind === "agent" && send.target.agent === agent && send.state.kind !== "accepted",
  );
}

function replace(sends: readonly Send[], key: string, state: Send["state"]): readonly Send[] {
  return sends.map((send) => (send.key === key ? { ...send, state } : send));
}

function bounded(sends: readonly Send[]): readonly Send[] {
  if (sends.length <= sendsKeptMax) return sends;
  const oldest = sends.findIndex((send) => send.state.kind !== "saved");
  return oldest === -1 ? sends : sends.filter((_, index) => index !== oldest);
}
