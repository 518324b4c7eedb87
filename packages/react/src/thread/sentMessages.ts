/**
 * What was sent from here and is not yet told by its thread's log.
 *
 *   sending ──answer──► accepted ──in the log──► (gone: the log tells the rest)
 *      ├──refused──► refused ──dismissed──► (gone)
 *      └──no answer──► unknown ──in the log, or dismissed──► (gone)
 *
 * Pure. Invariants: a message is in the log or here, never in both, in whatever order answer and event arrive (F73); one
 * that was never answered is never shown as sent (F74).
 */
import type { ProtocolError } from "@holdfast/protocol";
import type { ThreadCommand } from "./threadState.ts";

/** Settled ones beyond this many are forgotten, the oldest first. */
export const sentKeptMax = 100;

export interface SentMessage {
  /** The page's own; the command has an id once the server has accepted it. */
  readonly key: string;
  readonly text: string;
  readonly state: "sending" | "accepted" | "refused" | "unknown";
  readonly command: string | undefined;
  /** Why it was refused, or why nothing is known of it. */
  readonly error: ProtocolError | undefined;
  /** The commands that the log told when it was sent: none of them is this one. */
  readonly before: ReadonlySet<string>;
}

export type SentAction =
  | { readonly kind: "sent"; readonly key: string; readonly text: string; readonly before: ReadonlySet<string> }
  | { readonly kind: "accepted"; readonly key: string; readonly command: string }
  | { readonly kind: "failed"; readonly key: string; readonly error: ProtocolError }
  | { readonly kind: "gone"; readonly keys: readonly string[] };

export function reduceSent(sent: readonly SentMessage[], action: SentAction): readonly SentMessage[] {
  switch (action.kind) {
    case "sent": {
      const { key, text, before } = action;
      return bounded([...sent, { key, text, state: "sending", command: undefined, error: undefined, before }]);
    }
    case "accepted":
      return change(sent, action.key, { state: "accepted", command: action.command });
    case "failed":
      return change(sent, action.key, {
        state: action.error.code === "timeout" ? "unknown" : "refused",
        error: action.error,
      });
    case "gone":
      return action.keys.length === 0 ? sent : sent.filter(({ key }) => !action.keys.includes(key));
  }
}

/** Those that the log has not told, of what was sent by `user`. */
export function notInLog(
  sent: readonly SentMessage[],
  commands: readonly ThreadCommand[],
  user: string | undefined,
): readonly SentMessage[] {
  const taken = new Set(sent.flatMap(({ command }) => command ?? []));
  const inLog = new Set(commands.map(({ id }) => id));
  return sent.filter(({ command, state, text, before }) => {
    if (command !== undefined) return !inLog.has(command);
    if (state === "refused") return true;
    // The event may come before the answer that names it: then it is the first of ours that says the same.
    const told = commands.find(
      (one) => one.text === text && one.sentBy === user && !taken.has(one.id) && !before.has(one.id),
    );
    if (told !== undefined) taken.add(told.id);
    return told === undefined;
  });
}

function change(sent: readonly SentMessage[], key: string, next: Partial<SentMessage>): readonly SentMessage[] {
  return sent.map((one) => (one.key === key ? { ...one, ...next } : one));
}

/** One that waits for its answer is never dropped. */
function bounded(sent: readonly SentMessage[]): readonly SentMessage[] {
  if (sent.length <= sentKeptMax) return sent;
  const oldest = sent.findIndex(({ state }) => state !== "sending");
  return oldest === -1 ? sent : sent.filter((_, index) => index !== oldest);
}
