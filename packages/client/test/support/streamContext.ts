/** What a step of a stream is given, where a test takes it alone: the moment 0, chance, and nothing said or counted yet. */
import type { SessionEffect } from "../../src/core/effects.ts";
import { makeRandom } from "./random.ts";

export function makeStreamContext() {
  const counts = { received: 0, applied: 0, duplicatesSuppressed: 0, gapsRepaired: 0 };
  const out: SessionEffect[] = [];
  return { now: 0, random: makeRandom(1), out, counts };
}
