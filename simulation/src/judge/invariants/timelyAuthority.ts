/**
 * REL-I14: nothing is delivered to a client later than 30 s after its credential ended (AU-8), or after a revocation
 * plus its grace (AU-9); and nothing that it asks for after the end has an effect.
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
/** A request is judged by the server's clock alone, and carries no tolerance of its own (AU-8). */
const requestToleranceMs = 10_000;

export function timelyAuthority(readers: Readers, underWayMsMax: number, fail: Fail): Invariant {
  const ends = new Map<string, number>();
  /** Client → when its credential ends. */
  const expiries = new Map<string, number>();
  /** Requests that were asked too late, and by whom. */
  const late = new Map<string, { readonly client: string; readonly byMs: number }>();
  return {
    on: {
      authorised({ client, until }) {
        expiries.delete(client);
        if (until === null) ends.delete(client);
        else {
          expiries.set(client, until);
          ends.set(client, until + expiryGraceMs + toleranceMs);
        }
        // Whatever was refused may be asked again now.
        for (const [request, asked] of late) if (asked.client === client) late.delete(request);
      },
      requestIssued({ request, client, at }) {
        const expiry = expiries.get(client);
        if (expiry !== undefined && at > expiry + requestToleranceMs) late.set(request, { client, byMs: at - expiry });
      },
      effectCommitted({ request }) {
        const asked = late.get(request);
        if (asked === undefined) return;
        fail("REL-I14", `request ${request} had an effect, asked ${asked.byMs} ms after its client's credential ended`);
      },
      revoked({ client, graceMs, at }) {
        ends.set(client, Math.min(ends.get(client) ?? Number.POSITIVE_INFINITY, at + graceMs));
      },
      clientEnded({ client }) {
        ends.delete(client);
        expiries.delete(client);
        // What it kept may be sent by who comes after it, with a credential of its own (RQ-3).
        for (const [request, asked] of late) if (asked.client === client) late.delete(request);
      },
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
