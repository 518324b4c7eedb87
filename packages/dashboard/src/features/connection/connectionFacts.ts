/**
 * The connection as a person sees it: three facts (link, data, sends), and the reason in words.
 *
 * Pure: a table from the session's one public state (CL-11) to words. Reasons are `reasons.ts`'s; the state as it
 * is stands in the diagnostics.
 */
import type { SessionState } from "@holdfast/client";
import { count } from "../../shared/format/count.ts";
import { timeOfDay } from "../../shared/format/time.ts";
import { endingOf, quoted, waitingFor } from "./reasons.ts";

export type LinkKind = "live" | "opening" | "lost" | "ended";

export interface ConnectionFacts {
  readonly link: { readonly kind: LinkKind; readonly text: string };
  readonly data: { readonly isFresh: boolean; readonly text: string };
  /** Undefined where nothing waits. */
  readonly sends: string | undefined;
  /** One or two sentences. */
  readonly reason: string;
  /** When the next attempt is due, on this machine's clock; where a person can hurry it. */
  readonly retryAt: number | undefined;
  readonly canTryNow: boolean;
  readonly needsSignIn: boolean;
  /** It does not mend by itself: what to do is in the reason. */
  readonly needsPerson: boolean;
}

export interface ConnectionNow {
  readonly state: SessionState;
  readonly outbox: number;
  /** When the data was last known to be up to date, ms since 1970; undefined before. */
  readonly freshAt: number | undefined;
  readonly now: number;
  /** The page's own origin. */
  readonly address: string;
  /** Whether HTTP gets through where no connection does; undefined: not known. */
  readonly httpAnswers: boolean | undefined;
}

export function connectionFacts(connection: ConnectionNow): ConnectionFacts {
  return {
    sends: connection.outbox === 0 ? undefined : `${connection.outbox.toLocaleString("en-GB")} waiting`,
    data: dataFact(connection),
    ...linkFact(connection),
  };
}

type LinkFact = Omit<ConnectionFacts, "data" | "sends">;

const still = { retryAt: undefined, canTryNow: false, needsSignIn: false, needsPerson: false } as const;

function linkFact({ state, now, address, httpAnswers }: ConnectionNow): LinkFact {
  switch (state.kind) {
    case "idle":
    case "authenticating":
    case "connecting":
      return {
        ...still,
        link: { kind: "opening", text: "connecting" },
        reason: "The connection to the server is being opened.",
      };
    case "live":
    case "catchingUp":
      return {
        ...still,
        link: { kind: "live", text: "live" },
        reason: "Connected. What happens shows here as it happens.",
      };
    case "degraded":
      return {
        ...still,
        link: { kind: "live", text: "live, server impaired" },
        reason: `The connection is fine, but the server works without one of its parts since ${timeOfDay(state.since)}: ${quoted(state.reason)}. Agents go on; what they do is shown when it is back.`,
      };
    case "waiting": {
      const { reason, needsPerson } = waitingFor(state.reason, address, httpAnswers);
      return {
        ...still,
        link: { kind: "lost", text: reconnectingText(state.retryAt - now) },
        reason: `${reason} Attempt ${state.attempt.toLocaleString("en-GB")} did not succeed. ${onlyThisPage}`,
        retryAt: state.retryAt,
        canTryNow: true,
        needsPerson,
      };
    }
    case "offline":
      return {
        ...still,
        link: { kind: "lost", text: "offline" },
        reason: `This device has no network. ${onlyThisPage}`,
        canTryNow: true,
      };
    case "stopped":
      return stoppedFact(state.reason);
  }
}

const onlyThisPage = "Only this page is cut off: agents go on with their work, and all of it is kept.";

function stoppedFact(stopped: string): LinkFact {
  const { text, reason, needsSignIn } = endingOf(stopped);
  return { ...still, link: { kind: "ended", text }, reason, canTryNow: !needsSignIn, needsSignIn, needsPerson: true };
}

function dataFact({ state, freshAt }: ConnectionNow): ConnectionFacts["data"] {
  if (state.kind === "live") return { isFresh: true, text: "up to date" };
  if (state.kind === "catchingUp")
    return { isFresh: false, text: `catching up, ${count(state.behind, "event")} to go` };
  if (freshAt === undefined) return { isFresh: false, text: "nothing loaded yet" };
  return { isFresh: false, text: `copy from ${timeOfDay(freshAt)}` };
}

function reconnectingText(inMs: number): string {
  return inMs <= 0 ? "reconnecting" : `reconnecting in ${Math.ceil(inMs / 1_000)} s`;
}
