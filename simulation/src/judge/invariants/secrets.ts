/**
 * REL-I17: no canary (a token, a key, a prompt that was planted) appears in a line of a log or in an error.
 */
import type { Fail, Invariant } from "../invariant.ts";

export function secrets(canaries: readonly string[], fail: Fail): Invariant {
  if (canaries.length === 0) return { on: {} };
  const judge = (where: string, text: string): void => {
    const found = canaries.findIndex((canary) => text.includes(canary));
    if (found !== -1) fail("REL-I17", `${where} holds canary ${found}`);
  };
  return {
    on: {
      logged: ({ node, event, fields }) => judge(`${node}'s line "${event}"`, `${event} ${JSON.stringify(fields)}`),
      uncaught: ({ where, error }) => judge(`an uncaught error of ${where}`, error),
    },
  };
}
