/**
 * What this page has sent and not yet seen in its thread's log: the first steps of the ladder
 * *saved here → accepted*, and *unknown*.
 *
 *   saved ──answer──► accepted ──seen in the log──► (gone: the log tells the rest)
 *     ├──refused──► refused ──dismissed──► (gone)
 *     ├──no answer──► unknown ──dismissed──► (gone)
 *     └──withdrawn──► (gone)
 *
 * Pure. Invariant: a send is never dropped from `saved`, and `unknown` is never shown as anything else.
 */

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

/** What still has to be shown beside the log of `thread`: nothing twice. */
export function sendsOfThread(
  sends: readonly Send[],
  thread: string,
  inLog: (command: string) => boolean,
): readonly Send[] {
  return sends.filter((send) => {
    if (send.state.kind === "accepted") return send.state.thread === thread && !inLog(send.state.command);
    return send.target.kind === "thread" && send.target.thread === thread;
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
