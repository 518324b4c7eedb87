/**
 * How many openings each client attempts: 1 is a calm day, above 2 clients come back without having been told to (F01).
 *
 * Attempts of the last minute ÷ distinct clients that made them, in steps of {@link stepMs}. Invariant: memory is
 * bounded by {@link clientsMax} names a step; who comes beyond is counted as known, so that a crowd makes the factor
 * larger, never smaller.
 */
const stepMs = 10_000;
const steps = 6;
const clientsMax = 20_000;

interface Step {
  readonly number: number;
  attempts: number;
  readonly clients: Set<string>;
}

export interface StormFactor {
  /** A client, by whatever tells it from others, has come. */
  attempt(client: string, nowMs: number): void;
  /** 0 where nobody has come in the last minute. */
  at(nowMs: number): number;
}

export function createStormFactor(): StormFactor {
  let recent: Step[] = [];

  const prune = (nowMs: number): void => {
    const first = Math.floor(nowMs / stepMs) - steps + 1;
    recent = recent.filter(({ number }) => number >= first);
  };

  return {
    attempt(client, nowMs) {
      const number = Math.floor(nowMs / stepMs);
      let step = recent.at(-1);
      if (step?.number !== number) {
        prune(nowMs);
        step = { number, attempts: 0, clients: new Set() };
        recent.push(step);
      }
      step.attempts += 1;
      if (step.clients.size < clientsMax) step.clients.add(client);
    },
    at(nowMs) {
      prune(nowMs);
      const clients = new Set(recent.flatMap((step) => [...step.clients]));
      const attempts = recent.reduce((sum, step) => sum + step.attempts, 0);
      return clients.size === 0 ? 0 : attempts / clients.size;
    },
  };
}
