/**
 * Who tried what is not theirs to do: audited deeds that were refused for the caller's role, before any transaction.
 *
 * Each is written by itself, after the answer: nothing was done that it would have to be one with. Bounded: a person
 * leaves {@link entriesPerMinuteMax} entries a minute, whatever they try; more than that is one line of the log. Where the
 * store does not take one, a line of the log has it.
 */
import type { Clock } from "@holdfast/protocol";
import type { Audited, NewEvent, Principal } from "../plugin.ts";
import { type Origin, refusedDeed } from "./audit.ts";
import type { Log } from "./log.ts";

export const entriesPerMinuteMax = 10;
/** Who is counted at once; beyond that nothing is written for a newcomer before the minute is over. */
const principalsMax = 10_000;
const minuteMs = 60_000;

export interface RefusedDeeds {
  refused(audited: Audited, asked: { caller: Principal; method: string; params: unknown; from: Origin }): void;
}

export interface RefusedDeedsOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Log;
  /** Appends to the audit of a workspace. Rejects where the store does not take it. */
  readonly write: (workspace: string, entry: NewEvent) => Promise<unknown>;
}

export function createRefusedDeeds({ clock, log, write }: RefusedDeedsOptions): RefusedDeeds {
  /** Of this minute, by person. */
  let counts = new Map<string, number>();
  let since = clock.monotonic();

  const count = (principal: string): number => {
    if (clock.monotonic() - since >= minuteMs) {
      counts = new Map();
      since = clock.monotonic();
    }
    const entries = (counts.get(principal) ?? 0) + 1;
    if (counts.size >= principalsMax && entries === 1) return entriesPerMinuteMax + 2;
    counts.set(principal, entries);
    return entries;
  };

  return {
    refused(audited, asked) {
      const { caller, method } = asked;
      const entries = count(`${caller.workspace}\n${caller.id}`);
      if (entries === entriesPerMinuteMax + 1)
        log.warn("audit.refusals_left_out", { by: caller.id, method, entriesPerMinuteMax });
      if (entries > entriesPerMinuteMax) return;
      write(caller.workspace, refusedDeed(audited, asked, "forbidden")).catch((error: unknown) =>
        log.warn("audit.refusal_unwritten", { by: caller.id, method, error }),
      );
    },
  };
}
