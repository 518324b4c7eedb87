/**
 * The one registry of error codes (PROTOCOL.md section 9): HTTP status, retryable or not, stored or
 * not, and a sentence that tells the reader what to do.
 *
 * Life cycle of an error: a handler returns or throws a {@link ProtocolError}; the gateway sends its
 * {@link ErrorBody}; the client rebuilds a {@link ProtocolError} from it. Invariant: whether a code may
 * be retried is decided here and nowhere else. It deliberately holds no text of a particular case:
 * that is the `message` of each error.
 */

export interface ErrorRule {
  /** The status at the HTTP door (RQ-6). */
  readonly status: number;
  /** Whether the client's policy sends the same request again (RQ-5). `conflict` only with reason `after`. */
  readonly retryable: boolean;
  /** Whether an answer with it is final and so stored under the request's key (RQ-1). */
  readonly stored: boolean;
  /** What the reader can do about it. */
  readonly advice: string;
}

export const errorRules = {
  bad_message: {
    status: 400,
    retryable: false,
    stored: true,
    advice: "Send the message in the documented shape; `details.field` names what was wrong.",
  },
  unsupported_protocol: {
    status: 400,
    retryable: false,
    stored: false,
    advice: "Use a protocol version that the server names.",
  },
  ambiguous_credentials: {
    status: 400,
    retryable: false,
    stored: false,
    advice: "Send one credential, not two different ones.",
  },
  unauthenticated: {
    status: 401,
    retryable: true,
    stored: false,
    advice: "Sign in again, then send the same request.",
  },
  auth_unavailable: {
    status: 503,
    retryable: true,
    stored: false,
    advice: "The sign-in provider does not answer; try again after `retryAfter`.",
  },
  auth_failed: {
    status: 401,
    retryable: false,
    stored: false,
    advice: "The new credential was not better than the old one; get a fresh one.",
  },
  forbidden: { status: 403, retryable: false, stored: false, advice: "Ask an admin for the role that this needs." },
  not_found: {
    status: 404,
    retryable: false,
    stored: true,
    advice: "Check the id or name; it does not exist or is not yours to see.",
  },
  invalid_params: {
    status: 422,
    retryable: false,
    stored: true,
    advice: "Correct the parameter that `details.field` names.",
  },
  conflict: { status: 409, retryable: false, stored: true, advice: "Look at the current state, then decide again." },
  sequence_gap: { status: 409, retryable: true, stored: false, advice: "Publish again from `details.expected`." },
  fenced: {
    status: 409,
    retryable: false,
    stored: false,
    advice: "A newer process of this agent is connected; stop this one.",
  },
  too_large: { status: 413, retryable: false, stored: true, advice: "Send less; `details.limitBytes` is the limit." },
  too_many: { status: 429, retryable: true, stored: false, advice: "Wait for what is under way, then try again." },
  rate_limited: { status: 429, retryable: true, stored: false, advice: "Wait `retryAfter`, then try again." },
  queue_full: {
    status: 409,
    retryable: false,
    stored: true,
    advice: "Cancel or wait for queued commands of this agent.",
  },
  agent_offline: {
    status: 409,
    retryable: false,
    stored: true,
    advice: "Start the agent, or let the command wait for it.",
  },
  expired: {
    status: 410,
    retryable: false,
    stored: true,
    advice: "Too late for this request; look at the state and send a new one.",
  },
  store_unavailable: {
    status: 503,
    retryable: true,
    stored: false,
    advice: "The database does not answer; try again after `retryAfter`.",
  },
  unavailable: {
    status: 503,
    retryable: true,
    stored: false,
    advice: "The server is starting, stopping or overloaded; try again after `retryAfter`.",
  },
  timeout: {
    status: 504,
    retryable: false,
    stored: false,
    advice: "No answer came in time; the outcome is unknown, look at the state.",
  },
  internal: {
    status: 500,
    retryable: true,
    stored: false,
    advice: "A fault of the server; `details.ref` finds it in the log.",
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorRules;
export const errorCodes = Object.keys(errorRules) as ErrorCode[];

export interface ErrorAbout {
  readonly type: string;
  readonly id?: string | undefined;
  readonly stream?: string | undefined;
  readonly sequence?: number | undefined;
}

/** An error as it travels (RQ-5). `retryAfter` in ms. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly about?: ErrorAbout | undefined;
  readonly retryable: boolean;
  readonly retryAfter?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface ErrorExtras {
  readonly about?: ErrorAbout | undefined;
  readonly retryAfter?: number | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** An operating error with a code from the registry. `message` names the offending value. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  readonly about: ErrorAbout | undefined;
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code;
    this.about = extras.about;
    this.retryAfter = extras.retryAfter;
    this.details = extras.details;
  }

  get retryable(): boolean {
    return isRetryable(this.code, this.details);
  }

  /** What goes over the wire: never a stack, a cause or a query. */
  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.about === undefined ? {} : { about: this.about }),
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromBody(body: ErrorBody): ProtocolError {
    return new ProtocolError(body.code, body.message, body);
  }
}

/** RQ-5, section 9: `conflict` is retryable only while the request that it must follow is undecided. */
export function isRetryable(code: ErrorCode, details?: Readonly<Record<string, unknown>>): boolean {
  if (code === "conflict") return details?.["reason"] === "after";
  return errorRules[code].retryable;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorRules, value);
}
