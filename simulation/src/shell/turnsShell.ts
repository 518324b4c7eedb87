/**
 * Turns of the real event loop, one for each simulated event: the only way to know that every promise has settled.
 *
 * Node drains microtasks completely between two `setImmediate` callbacks, also where several wait in one phase; so
 * a batch of them costs one round of the loop, and each runs after all that the one before set in motion.
 */
import type { Turns } from "../core/scheduler.ts";

const turnsAtOnce = 64;

export const immediateTurns: Turns = (step) =>
  new Promise((resolve, reject) => {
    let ended = false;
    const turn = (): void => {
      if (ended) return;
      try {
        if (step()) return;
        ended = true;
        // The last event's promises settle before whoever waits goes on.
        setImmediate(resolve);
      } catch (error) {
        ended = true;
        reject(error);
      }
    };
    const batch = (): void => {
      for (let index = 0; index < turnsAtOnce; index += 1) setImmediate(turn);
      setImmediate(() => {
        if (!ended) batch();
      });
    };
    batch();
  });
