/**
 * What the log hears of a provider that is away: a line when it begins, a line when it is over, at most one such pair a minute.
 *
 * A provider that comes and goes is one trouble, and a thousand who wait for it are no more.
 */
import type { Clock } from "@holdfast/protocol";
import type { Log } from "../../observe/log.ts";

const toldEveryMs = 60_000;

export interface OutageLines {
  /** `meanwhile`: what becomes of those who come. */
  fails(error: Error, meanwhile: string): void;
  answers(): void;
}

/** @param about names the provider and what was asked of it */
export function createOutageLines(parts: {
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  readonly about: Readonly<Record<string, string>>;
}): OutageLines {
  const { clock, log, about } = parts;
  let told = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    fails(error, meanwhile) {
      if (told || clock.monotonic() - toldAt < toldEveryMs) return;
      told = true;
      toldAt = clock.monotonic();
      log.warn("auth.provider_away", { ...about, error, meanwhile });
    },
    answers() {
      if (told) log.info("auth.provider_back", about);
      told = false;
    },
  };
}
