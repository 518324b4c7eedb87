/**
 * The registry of error codes (PROTOCOL.md section 9): HTTP status, stored or not, and a sentence that tells
 * the reader what to do. For servers, descriptions and whoever shows an error: the client itself needs none of it.
 */
import type { ErrorCode } from "./errors.ts";

export interface ErrorRule {
  /** The status at the HTTP door (RQ-6). */
  readonly status: number;
  /** Whether an answer with it is final and so stored under the request's key (RQ-1). */
  readonly stored: boolean;
  /** What the reader can do about it. */
  readonly advice: string;
}

export const errorRules = {
  bad_message: {
    status: 400,
    stored: true,
    advice: "Send the message in the documented shape; `details.field` names what was wrong.",
  },
  unsupported_protocol: {
    status: 400,
    stored: false,
    advice: "Use a protocol version that the server names.",
  },
  ambiguous_credentials: {
    status: 400,
    stored: false,
    advice: "Send one credential, not two different ones.",
  },
  unauthenticated: {
    status: 401,
    stored: false,
    advice: "Sign in again, then send the same request.",
  },
  auth_unavailable: {
    status: 503,
    stored: false,
    advice: "The sign-in provider does not answer; try again after `retryAfter`.",
  },
  auth_failed: {
    status: 401,
    stored: false,
    advice: "The new credential was not better than the old one; get a fresh one.",
  },
  forbidden: { status: 403, stored: false, advice: "Ask an admin for the role that this needs." },
  not_found: {
    status: 404,
    stored: true,
    advice: "Check the id or name; it does not exist or is not yours to see.",
  },
  invalid_params: {
    status: 422,
    stored: true,
    advice: "Correct the parameter that `details.field` names.",
  },
  conflict: { status: 409, stored: true, advice: "Look at the current state, then decide again." },
  sequence_gap: { status: 409, stored: false, advice: "Publish again from `details.expected`." },
  fenced: {
    status: 409,
    stored: false,
    advice: "A newer process of this agent is connected; stop this one.",
  },
  too_large: { status: 413, stored: true, advice: "Send less; `details.limitBytes` is the limit." },
  too_many: { status: 429, stored: false, advice: "Wait for what is under way, then try again." },
  rate_limited: { status: 429, stored: false, advice: "Wait `retryAfter`, then try again." },
  queue_full: {
    status: 409,
    stored: true,
    advice: "Cancel or wait for queued commands of this agent.",
  },
  agent_offline: {
    status: 409,
    stored: true,
    advice: "Start the agent, or let the command wait for it.",
  },
  expired: {
    status: 410,
    stored: true,
    advice: "Too late for this request; look at the state and send a new one.",
  },
  store_unavailable: {
    status: 503,
    stored: false,
    advice: "The database does not answer; try again after `retryAfter`.",
  },
  unavailable: {
    status: 503,
    stored: false,
    advice: "The server is starting, stopping or overloaded; try again after `retryAfter`.",
  },
  timeout: {
    status: 504,
    stored: false,
    advice: "No answer came in time; the outcome is unknown, look at the state.",
  },
  internal: {
    status: 500,
    stored: false,
    advice: "A fault of the server; `details.ref` finds it in the log.",
  },
} as const satisfies Record<ErrorCode, ErrorRule>;

export const errorCodes = Object.keys(errorRules) as readonly ErrorCode[];

/** Whether this side knows the code: a newer one may have more. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return errorCodes.includes(value as ErrorCode);
}
