/** What one obeying client counts, so that a run without repeats or gaps on the way shows itself as too easy. */

export interface Counters {
  attempts: number;
  welcomes: number;
  /** Events that came again and were dropped. */
  repeatsDropped: number;
  gapsRepaired: number;
  resets: number;
  requestsResent: number;
  eventsResent: number;
  /** Connections that were given up because a ping had no answer. */
  deaths: number;
}

export function newCounters(): Counters {
  return {
    attempts: 0,
    welcomes: 0,
    repeatsDropped: 0,
    gapsRepaired: 0,
    resets: 0,
    requestsResent: 0,
    eventsResent: 0,
    deaths: 0,
  };
}

/** All clients' together. */
export function addCounters(all: readonly Readonly<Counters>[]): Counters {
  const total = newCounters();
  for (const counters of all)
    for (const name of Object.keys(total) as (keyof Counters)[]) total[name] += counters[name];
  return total;
}
