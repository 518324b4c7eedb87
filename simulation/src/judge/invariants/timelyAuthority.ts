/**
 * REL-I14: nothing is delivered to a client later than 30 s after its credential ended (AU-8), or after a revocation
 * plus its grace (AU-9).
 *
 * A frame may have been under way when authority ended; how long at most is given, since only who built the network
 * knows. Invariant: a client of which nothing was observed may read for ever.
 */
import type { Fail, Invariant } from "../invariant.ts";
import { placeOf, type Readers } from "../readers.ts";

/** AU-8: delivery stops this long after the credential's end. */
const expiryGraceMs = 30_000;
/** Clocks of server and observer may differ by this much (AU-4). */
const toleranceMs = 30_000;

export function timelyAuthority(readers: Readers, underWayMsMax: number, fail: Fail): Invariant {
  const ends = new Map<string, number>();
  return {
    on: {
      authorised({ client, until }) {
        if (until === null) ends.delete(client);
        else ends.set(client, until + expiryGraceMs + toleranceMs);
      },
      revoked({ client, graceMs, at }) {
        ends.set(client, Math.min(ends.get(client) ?? Number.POSITIVE_INFINITY, at + graceMs));
      },
      clientEnded: ({ client }) => void ends.delete(client),
      delivered({ reader: name, offset, at }) {
        if (ends.size === 0) return;
        const reader = readers.of(name);
        const end = reader === undefined ? undefined : ends.get(reader.client);
        if (reader === undefined || end === undefined || at <= end + underWayMsMax) return;
        fail("REL-I14", `${placeOf(reader)} was given offset ${offset} ${at - end} ms after its authority had ended`, {
          context: { client: reader.client },
        });
      },
    },
  };
}
