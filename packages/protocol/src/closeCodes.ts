/**
 * From a close code to what the client does: one total function (CL-2).
 *
 * A close code is policy by range, decided here for client, server and documentation alike, so a code
 * nobody has seen yet still has an answer (F17, X12). It deliberately decides no delay: that is CL-3's.
 */

export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  noStatus: 1005,
  lost: 1006,
  policyViolation: 1008,
  tooBig: 1009,
  internal: 1011,
  restart: 1012,
  overloaded: 1013,
  badMessage: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  silent: 4408,
  fenced: 4409,
  identityChanged: 4410,
  tooMany: 4429,
  unavailable: 4503,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/**
 * What to do after a close:
 * - `stopAfterOwnClose`: stop where we closed ourselves, else retry;
 * - `retry`: come back by CL-3/CL-4;
 * - `retryThenStop`: retry, but stop and report at the third in a row;
 * - `refreshThenRetry`: a fresh token first, counted (CL-2);
 * - `retryAfter`: come back after the given `retryAfter`;
 * - `dropIdentity`: drop all state, retry at once without `expect` (OP-5);
 * - `stop`: stop, and report where `report` says so.
 */
export type ReconnectAdvice =
  | { readonly kind: "stopAfterOwnClose" }
  | { readonly kind: "retry" }
  | { readonly kind: "retryThenStop" }
  | { readonly kind: "refreshThenRetry" }
  | { readonly kind: "retryAfter" }
  | { readonly kind: "dropIdentity" }
  | { readonly kind: "stop"; readonly report: boolean };

/** Every code whose advice is not that of its range. */
const advice: readonly (readonly [readonly number[], ReconnectAdvice])[] = [
  [[1000], { kind: "stopAfterOwnClose" }],
  [[1002, 1003, 1007, 1009, 1010], { kind: "retryThenStop" }],
  [[1008, 4401], { kind: "refreshThenRetry" }],
  [[4408], { kind: "retry" }],
  [[4409], { kind: "stop", report: false }],
  [[4410], { kind: "dropIdentity" }],
  [[4429, 4503], { kind: "retryAfter" }],
];

/** Total: other 4xxx (4400 and 4403 among them) stop and report, every other code retries. */
export function reconnectAdvice(code: number): ReconnectAdvice {
  const own = advice.find(([codes]) => codes.includes(code));
  if (own !== undefined) return own[1];
  return code >= 4000 && code <= 4999 ? { kind: "stop", report: true } : { kind: "retry" };
}
