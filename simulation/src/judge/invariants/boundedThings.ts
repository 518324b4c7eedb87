/**
 * I6 (REL-I11): whatever is measured stays within its bound: bytes queued to a connection, tails, maps, timers.
 *
 * The bounds come with the measurements, named by who built the thing that is measured.
 */
import type { Fail, Invariant } from "../invariant.ts";

export function boundedThings(fail: Fail): Invariant {
  return {
    on: {
      measured({ what, value, max }) {
        if (value > max) fail("I6", `${what} is ${value}, its bound is ${max}`);
      },
    },
  };
}
