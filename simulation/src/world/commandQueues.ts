/**
 * Whether commands that were accepted are still being worked off, and since when nothing moves.
 *
 * An agent does one command after the other: a queue of sixty takes as long as sixty, however well everything else has
 * converged. So a run waits for them as long as they go on ending. It judges nothing: what stands still is the judge's (I8).
 */
import type { Observation } from "../judge/observation.ts";

export interface CommandQueues {
  heard(observation: Observation): void;
  /** Whether a run that has converged until `now` waits on. */
  isMoving(now: number): boolean;
}

/** The longest that one command takes of its agent, with everything that a slow network adds. */
const commandMsMax = 60_000;
/** Until whoever sent the last one has been told. */
const tellingMsMax = 10_000;

export function watchCommandQueues(): CommandQueues {
  const ended = new Set<string>();
  const open = new Set<string>();
  let endedAt = Number.NEGATIVE_INFINITY;
  return {
    heard(observation) {
      if (observation.kind === "commandAccepted" && !ended.has(observation.command)) open.add(observation.command);
      if (observation.kind !== "commandFinished") return;
      ended.add(observation.command);
      open.delete(observation.command);
      endedAt = observation.at;
    },
    isMoving: (now) => now - endedAt < (open.size > 0 ? commandMsMax : tellingMsMax),
  };
}
