/**
 * I10 (REL-I13): after faults have stopped everything converges. Each reader that may read stands at the head of its
 * log, each client is live or rightly stopped, and nothing waits.
 *
 * How long that may take (60 s) is the run's affair: it tells `finish` that it has waited. Requests, producers and
 * commands are judged where their books are.
 */
import type { Fail, Invariant } from "../invariant.ts";
import { judgeRollbacks, placeOf, type Readers } from "../readers.ts";

export function convergence(readers: Readers, fail: Fail): Invariant {
  const states = new Map<string, string>();
  return {
    on: {
      clientState: ({ client, state }) => void states.set(client, state),
      clientEnded: ({ client }) => void states.delete(client),
    },
    finish(isHealed) {
      if (!isHealed) return;
      for (const [client, state] of states) {
        if (state !== "live" && state !== "stopped") fail("I10", `${client} is still ${state}`);
      }
      for (const reader of readers.open.values()) {
        if (reader.isRefused || states.get(reader.client) === "stopped") continue;
        judgeRollbacks(reader);
        const head = reader.log.contents.length;
        const isThere = reader.offset === head && !reader.isAhead;
        if (!isThere && !(reader.isFree && head === 0)) {
          const free = reader.isFree ? ", and was never placed" : "";
          fail("I10", `${placeOf(reader)} is not at the head ${head}${free}`, { harm: "lost" });
        }
      }
    },
  };
}
