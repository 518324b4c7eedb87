/**
 * REL-I16: no uncaught error and no unhandled rejection, anywhere.
 */
import type { Fail, Invariant } from "../invariant.ts";

export function noCrash(fail: Fail): Invariant {
  return {
    on: {
      uncaught: ({ where, error }) => fail("REL-I16", `nobody caught this in ${where}: ${error}`),
    },
  };
}
