/**
 * From a close code to what the client does: one total function (CL-2).
 *
 * A close code is policy by range, decided here for client, server and documentation alike, so a code
 * nobody has seen yet still has an answer (F17, X12). It deliberately decides no delay: that is CL-3's.
 */

/** What a client itself says, or tells apart; each alone, so that a page carries no more of them. */
export const normalClose = 1000;
export const noStatusClose = 1005;
export const lostClose = 1006;
export const forbiddenClose = 4403;
export const fencedClose = 4409;

export const closeCodes = {
  normal: normalClose,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  noStatus: noStatusClose,
  lost: lostClose,
  policyViolation: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  overloaded: 1013,
  badMessage: 4400,
  unauthenticated: 4401,
  forbidden: forbiddenClose,
  silent: 4408,
  fenced: fencedClose,
  identityChanged: 4410,
  tooMany: 4429,
  unavailable: 4503,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/**
 * What to do after a close that was not our own:
 * - `retry`: come back by CL-3/CL-4, after `retryAfter` where one was given;
 * - `retryThenStop`: retry, but stop and report at the third in a row;
 * - `refresh`: a fresh token first, counted (CL-2);
 * - `dropIdentity`: drop all state, retry at once without `expect` (OP-5);
 * - `stop`: stop and report.
 */
export type ReconnectAdvice = "retry" | "retryThenStop" | "refresh" | "dropIdentity" | "stop";

/** Total: other 4xxx (4400, 4403, 4409 among them) stop, every other code retries. */
export function reconnectAdvice(code: number): ReconnectAdvice {
  if ([1002, 1003, 1007, 1009, 1010].includes(code)) return "retryThenStop";
  if ([1008, 4401].includes(code)) return "refresh";
  if (code === 4410) return "dropIdentity";
  return code < 4000 || code > 4999 || [4408, 4429, 4503].includes(code) ? "retry" : "stop";
}
