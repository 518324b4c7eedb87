/**
 * What is known of a connection when it has ended: one record, whichever way and however early it ended.
 *
 * Life cycle: a {@link Tally} is made at the upgrade and counts → the connection ends → {@link recordOf} makes the
 * record of it, once. Invariant: a record holds no credential and nothing of what was said, only how much; the two texts
 * that a client may choose, its name and its reason, are as plain as in the log, since they are kept and shown too. It
 * deliberately judges nothing but whether the end was expected: that decides nothing, it is for whoever reads it.
 */
import { closeCodes } from "@holdfast/protocol";
import type { ConnectionRecord } from "@holdfast/protocol/schema";

import { plainText } from "./plainText.ts";

export type { ConnectionRecord };

/** Connections that lived less are counted apart: many of them are a loop (F01). */
export const shortMs = 60_000;
/** Codes of errors that are counted one by one; what comes beyond is counted together. */
const errorCodesMax = 32;
const otherErrors = "other";

/** When the steps of its opening were done, ms after the upgrade was accepted. */
type OpeningPhases = ConnectionRecord["phases"];

/** What a connection counts as it lives. A class, so that ten thousand idle ones share its functions. */
export class Tally {
  messagesIn = 0;
  bytesIn = 0;
  handlingMs = 0;
  handlingMsLongest = 0;
  client: string | undefined;
  attempt: number | undefined;
  readonly phases: OpeningPhases = {};
  /** Made with the first error: most connections have none. */
  #errors: Map<string, number> | undefined;

  message(handledMs: number): void {
    this.messagesIn += 1;
    this.handlingMs += handledMs;
    if (handledMs > this.handlingMsLongest) this.handlingMsLongest = handledMs;
  }

  error(code: string): void {
    this.#errors ??= new Map();
    const name = this.#errors.has(code) || this.#errors.size < errorCodesMax ? code : otherErrors;
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1);
  }

  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors ?? []);
  }
}

const expectedCodes: ReadonlySet<number> = new Set([
  closeCodes.normal,
  closeCodes.goingAway,
  closeCodes.restart,
  closeCodes.unauthenticated,
  closeCodes.fenced,
  closeCodes.identityChanged,
]);

/** Everything that ends an ordinary day: it is no reason to look. */
export function isExpectedEnd(code: number, left: boolean): boolean {
  return left || expectedCodes.has(code);
}

/** The record of a connection that has ended. */
export function recordOf(
  tally: Tally,
  about: Omit<ConnectionRecord, "client" | "attempt" | "phases" | "messagesIn" | "bytesIn" | "handlingMs" | "errors">,
): ConnectionRecord {
  const { client, attempt, phases, messagesIn, bytesIn, handlingMs, handlingMsLongest, errors } = tally;
  return {
    ...about,
    reason: plainText(about.reason),
    ...(client !== undefined && { client: plainText(client) }),
    ...(attempt !== undefined && { attempt }),
    phases,
    messagesIn,
    bytesIn,
    handlingMs: { sum: tenths(handlingMs), longest: tenths(handlingMsLongest) },
    errors,
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
