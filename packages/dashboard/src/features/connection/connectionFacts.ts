/**
 * The connection as a person sees it: three facts (link, data, sends), and the reason in words.
 *
 * Pure: a table from the session's one public state (CL-11) to words. The reason as the server or the
 * browser put it is always shown beside ours, never hidden behind it.
 */
import type { SessionState } from "@holdfast/client";
import { count } from "../../shared/format/count.ts";
import { timeOfDay } from "../../shared/format/time.ts";
import { visibleText } from "../../shared/format/visibleText.ts";

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
}

export interface ConnectionNow {
  readonly state: SessionState;
  readonly outbox: number;
  /** When the data was last known to be up to date, ms since 1970; undefined before. */
  readonly freshAt: number | undefined;
  readonly now: number;
}

export function connectionFacts(connection: ConnectionNow): ConnectionFacts {
  return {
    sends: connection.outbox === 0 ? undefined : `${connection.outbox.toLocaleString("en-GB")} waiting`,
    data: dataFact(connection),
    ...linkFact(connection),
  };
}

type LinkFact = Pick<ConnectionFacts, "link" | "reason" | "retryAt" | "canTryNow" | "needsSignIn">;

const still = { retryAt: undefined, canTryNow: false, needsSignIn: false } as const;

function linkFact({ state, now }: ConnectionNow): LinkFact {
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
    case "waiting":
      return {
        link: { kind: "lost", text: reconnectingText(state.retryAt - now) },
        reason: `The connection was lost or refused: ${quoted(state.reason)}. Attempt ${state.attempt.toLocaleString("en-GB")} did not succeed. ${onlyThisPage}`,
        retryAt: state.retryAt,
        canTryNow: true,
        needsSignIn: false,
      };
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

/** The ends that a new sign-in mends; with the others, trying again is all that the page can do. */
const signInReasons = /auth|sign|unauthenticated|revoked|expired|forbidden/i;

function stoppedFact(reason: string): LinkFact {
  const needsSignIn = signInReasons.test(reason);
  return {
    link: { kind: "ended", text: needsSignIn ? "signed out" : "stopped" },
    reason: `The session has ended: ${quoted(reason)}. What you see is from before; what you typed is kept.`,
    retryAt: undefined,
    canTryNow: !needsSignIn,
    needsSignIn,
  };
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

const quoted = (reason: string): string => visibleText(reason.replace(/[.\s]+$/, ""));
