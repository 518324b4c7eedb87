/** How a `retryAfter` from the wire is read (CL-4). */
import { retryAfterMsMax } from "./limits.ts";

/** `value` where it is an integer of 0…300,000 ms, anything else is absent. */
export function readRetryAfter(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= retryAfterMsMax
    ? (value as number)
    : undefined;
}
