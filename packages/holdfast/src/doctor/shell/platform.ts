/** The platform's clock and chance for `holdfast doctor`. */
import { randomBytes } from "node:crypto";
import { uuidv7 } from "@holdfast/protocol";

/** ms since 1970. */
export function nowMs(): number {
  return Date.now();
}

/** ms since some start, for durations. */
export function monotonicMs(): number {
  return performance.now();
}

export function newId(): string {
  return uuidv7(Date.now(), randomBytes(10));
}
