/**
 * Errors at the HTTP door: problem details (RFC 9457), made from the one registry of codes.
 *
 * Invariant: what is not a {@link ProtocolError} or a fault of the request reaches nobody but the log; the
 * client gets `ref`, under which the log has the rest (L3). Pure.
 */
import { STATUS_CODES } from "node:http";
import { type ErrorCode, errorRules, ProtocolError } from "@holdfast/protocol";

export const problemType = "application/problem+json; charset=utf-8";

export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  /** What was wrong, and what to do. */
  readonly detail: string;
  readonly code: ErrorCode;
  /** Names this very answer in the log. */
  readonly ref: string;
  /** ms (CL-4). */
  readonly retryAfter?: number;
}

/** An error whose status says more than its code's own (415, 426, 431). */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly code: ErrorCode;
  /** ms (CL-4). */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The answer to an error of any kind. */
export function problemOf(error: unknown, ref: string): Problem {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message, ref, error.retryAfter);
  if (error instanceof ProtocolError && error.code !== "internal") {
    const { status, advice } = errorRules[error.code];
    return problem(status, error.code, `${error.message} ${advice}`, ref, error.retryAfter);
  }
  const status = statusOf(error);
  if (status === 413) return problem(413, "too_large", "The body is larger than this server reads.", ref);
  if (status === 404) return problem(404, "not_found", "There is nothing here.", ref);
  if (status >= 400 && status < 500)
    return problem(
      status,
      "bad_message",
      "The request could not be read; send valid JSON, and a path without broken escapes.",
      ref,
    );
  return problem(500, "internal", `A fault of the server; the log has it as ${ref}.`, ref);
}

function problem(status: number, code: ErrorCode, detail: string, ref: string, retryAfter?: number): Problem {
  const title = STATUS_CODES[status] ?? "Error";
  return { type: "about:blank", title, status, detail, code, ref, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** What Fastify and its plugins say of a request that they could not take. */
function statusOf(error: unknown): number {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === "number" ? status : 500;
}
