/**
 * Errors as they travel: their codes, which of them are sent again, and the class that carries one.
 *
 * Life cycle of an error: a handler returns or throws a {@link ProtocolError}; the gateway sends its
 * {@link ErrorBody}; the client rebuilds a {@link ProtocolError} from it. Invariant: whether a code may
 * be retried is decided here and nowhere else. A page loads this file; what only servers and readers need of
 * a code is in `errorRules.ts`. It deliberately holds no text of a particular case: that is the `message`.
 */

/** The client's policy sends the same request again (RQ-5). */
const retryableCodes = [
  "unauthenticated",
  "auth_unavailable",
  "sequence_gap",
  "too_many",
  "rate_limited",
  "store_unavailable",
  "unavailable",
  "internal",
] as const;

/** The others are final; `conflict` only without reason `after`. `errorRules` lists them all. */
export type ErrorCode =
  | (typeof retryableCodes)[number]
  | "bad_message"
  | "unsupported_protocol"
  | "ambiguous_credentials"
  | "auth_failed"
  | "forbidden"
  | "not_found"
  | "invalid_params"
  | "conflict"
  | "fenced"
  | "too_large"
  | "queue_full"
  | "agent_offline"
  | "expired"
  | "timeout";

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
  declare readonly code: ErrorCode;
  declare readonly about: ErrorAbout | undefined;
  declare readonly retryAfter: number | undefined;
  declare readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    // Of the extras it takes the `cause`.
    super(message, extras);
    const { about, retryAfter, details } = extras;
    Object.assign(this, { code, about, retryAfter, details });
  }

  get retryable(): boolean {
    return isRetryable(this.code, this.details);
  }

  /** What goes over the wire: never a stack, a cause or a query. */
  toBody(): ErrorBody {
    const { code, message, retryable, about, retryAfter, details } = this;
    return { code, message, retryable, about, retryAfter, details };
  }

  static fromBody(body: ErrorBody): ProtocolError {
    return new ProtocolError(body.code, body.message, body);
  }
}

/** RQ-5, section 9: `conflict` is retryable only while the request that it must follow is undecided. */
export function isRetryable(code: ErrorCode, details?: Readonly<Record<string, unknown>>): boolean {
  if (code === "conflict") return details?.["reason"] === "after";
  return (retryableCodes as readonly ErrorCode[]).includes(code);
}
