/**
 * What clients say of their deliveries (ST-16), added up: each repeat and each gap once, however often a client says so.
 *
 * A client counts for as long as it lives, over all of its connections; what is added here is the difference to what
 * it said before. Invariants: memory is bounded by {@link clientsMax} clients, the longest silent forgotten first, and
 * what a client says anew after that is its beginning; one report adds at most {@link addedMax}, whatever it claims.
 */
import type { DeliveryFigures } from "@holdfast/protocol";

const clientsMax = 20_000;
/** More in one report is a claim that nobody need believe. */
const addedMax = 100_000;

type Counts = Pick<DeliveryFigures, "duplicatesSuppressed" | "gapsRepaired">;

export interface ToldFigures extends Counts {
  /** A client comes: with what it has counted so far, or for the first time. */
  begin(client: string, figures: Counts | undefined): void;
  /** A client says what it has counted so far. */
  told(client: string, figures: Counts): void;
}

const none: Counts = { duplicatesSuppressed: 0, gapsRepaired: 0 };

export function createToldFigures(max: number = clientsMax): ToldFigures {
  const known = new Map<string, Counts>();

  const remember = (client: string, { duplicatesSuppressed, gapsRepaired }: Counts): void => {
    known.delete(client);
    known.set(client, { duplicatesSuppressed, gapsRepaired });
    if (known.size <= max) return;
    const [longestSilent] = known.keys();
    if (longestSilent !== undefined) known.delete(longestSilent);
  };

  const sums = {
    ...none,
    begin(client: string, figures: Counts | undefined): void {
      if (figures !== undefined) sums.told(client, figures);
      else if (!known.has(client)) remember(client, none);
    },
    told(client: string, figures: Counts): void {
      // Who is not known any more has been counted, here or on another node.
      const before = known.get(client) ?? figures;
      sums.duplicatesSuppressed += added(before.duplicatesSuppressed, figures.duplicatesSuppressed);
      sums.gapsRepaired += added(before.gapsRepaired, figures.gapsRepaired);
      remember(client, figures);
    },
  };
  return sums;
}

/** A client whose page was loaded anew counts from 0. */
function added(before: number, now: number): number {
  return Math.min(addedMax, now < before ? now : now - before);
}
