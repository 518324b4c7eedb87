/**
 * Why there is no connection, for a person: what happened, then what to do about it.
 *
 * Pure tables from the session's reasons to sentences. A reason that is in no table is somebody else's word (the
 * server's `bye`, the browser's): it is quoted as it is, with what is invisible in it shown, never swallowed.
 */
import { visibleText } from "../../shared/format/visibleText.ts";

export interface Ending {
  /** For the pill. */
  readonly text: string;
  readonly reason: string;
  /** A new sign-in mends it; with the others trying again is all that the page can do. */
  readonly needsSignIn: boolean;
}

export interface Waiting {
  readonly reason: string;
  /** It does not mend by itself: a person has to do something. */
  readonly needsPerson: boolean;
}

const kept = "What you see is from before; what you typed is kept.";

/** Maps, since a reason may be any word: `constructor` is in no table. */
const endings: ReadonlyMap<string, Ending> = new Map(
  Object.entries({
    signed_out: {
      text: "signed out",
      reason: `You are signed out: the session has ended, or was ended in another tab. Sign in again to go on. ${kept}`,
      needsSignIn: true,
    },
    auth_failed: {
      text: "signed out",
      reason: `The server no longer accepts this sign-in: it has expired, or the server's keys are new. Sign in again to go on. ${kept}`,
      needsSignIn: true,
    },
    forbidden: {
      text: "no access",
      reason: `The server has ended your access: the session was revoked, or your rights were taken back. Sign in again; if that is refused too, ask whoever runs this server. ${kept}`,
      needsSignIn: true,
    },
    protocol_fault: {
      text: "stopped",
      reason: `The connection broke three times in a row in a way that trying again does not mend: page and server do not match, or something between them changes what they say. Reload the page; if it happens again, copy the diagnostics for whoever runs this server. ${kept}`,
      needsSignIn: false,
    },
    unsupported_protocol: {
      text: "stopped",
      reason: `This page is of another version than the server. Reload it to get the server's own. ${kept}`,
      needsSignIn: false,
    },
  }),
);

/** Why a session has ended. */
export function endingOf(reason: string): Ending {
  // The server adds which versions it speaks.
  const [code = ""] = reason.split(":", 1);
  return (
    endings.get(code) ?? {
      text: "stopped",
      reason: `The server has ended this session: “${quoted(reason)}”. Try again; if it ends again, copy the diagnostics for whoever runs this server. ${kept}`,
      needsSignIn: false,
    }
  );
}

const waits: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "no pong": "The server has stopped answering.",
    "no answer": "The server does not answer.",
    "server unreachable": "The server cannot be reached: it does not run, or the way to it is cut.",
    auth_unavailable: "The server cannot check just now who you are.",
    auth_failed: "The server refused the sign-in; it is asked again with a fresh one.",
    "too soon": "The connection was lost.",
  }),
);

/** What the browser says of an upgrade that failed: nothing. 1006 is its word for a connection that ended without one. */
const untold = "closed 1006";

/**
 * Why a session waits for its next attempt.
 * @param address the page's own origin
 * @param httpAnswers whether HTTP gets through where no connection does
 */
export function waitingFor(reason: string, address: string, httpAnswers: boolean | undefined): Waiting {
  if (reason === "origin refused")
    return {
      reason: `The server refuses this page's address (${visibleText(address)}). Open the page at the address that the server printed when it started, or add this one to the setting “origins”.`,
      needsPerson: true,
    };
  if (reason === untold && httpAnswers === true)
    return {
      reason:
        "The server answers over HTTP, but no live connection to it comes about: something in between (a proxy) does not pass the upgrade on. Whoever runs it lets Upgrade and Connection through to /ws, by HTTP/1.1; “holdfast doctor” says more.",
      needsPerson: true,
    };
  const known = /^closed \d+$/.test(reason) ? "The connection was lost." : waits.get(reason);
  const said = known ?? `The connection was lost, or refused: “${quoted(reason)}”.`;
  return { reason: said, needsPerson: false };
}

/** Somebody else's word, for within a sentence of ours. */
export const quoted = (reason: string): string => visibleText(reason.trim().replace(/[.\s]+$/, ""));
