/**
 * I4: at most one owned socket a client (CL-6); attempts start ≥ 1 s apart; more than five failures in a row are ≥ 15 s
 * apart, whatever the server does (CL-3).
 *
 * A failure in a row is a connection, or an attempt at one, that ended before it had been good: 10 s old, with every
 * subscription settled. What a person asks for, `online`, and a changed identity may pass (CL-4, CL-5, OP-5). Two more
 * name their own time, and are held to it: what the server told is a floor that only a person passes (CL-4), and
 * credentials that are refused in a row are shown at least 5 s apart, three fresh ones at most (CL-2).
 */
import type { Fail, Invariant } from "../invariant.ts";
import type { Observed } from "../observation.ts";

const attemptsApartMs = 1_000;
const failuresBeforeSlow = 6;
const slowApartMs = 15_000;
const provenMs = 10_000;
const refusalsApartMs = 5_000;
/** The credential that had ended, and three fresh ones. */
const refusalsMax = 4;
/** CL-2 */
const unauthenticated = 4401;
/** CL-2: after these nobody comes back by itself, so they are no failure in a row of such. */
const stopping: ReadonlySet<number> = new Set([4400, 4403, 4409]);
/** Two clocks may round differently. */
const roundingMs = 5;

interface ClientRecord {
  attemptedAt: number | undefined;
  closedAt: number;
  failures: number;
  welcomedAt: number | undefined;
  settledAt: number | undefined;
  /** Credentials that were refused in a row. */
  refusals: number;
}

/** Even a time that the server names keeps attempts apart; only a person, `online` and an identity pass that too. */
function mayHurry(because: Observed<"attempted">["because"]): boolean {
  return because === "person" || because === "online" || because === "identity";
}

/** @param lateMsMax how much later than it read the time a client may open its socket; none where time is virtual */
export function oneSocket(fail: Fail, lateMsMax = 0): Invariant {
  const toleranceMs = roundingMs + lateMsMax;
  const clients = new Map<string, ClientRecord>();
  const of = (name: string): ClientRecord => {
    const found = clients.get(name) ?? {
      attemptedAt: undefined,
      closedAt: 0,
      failures: 0,
      welcomedAt: undefined,
      settledAt: undefined,
      refusals: 0,
    };
    clients.set(name, found);
    return found;
  };
  return {
    on: {
      attempted({ client: name, at, because, notBefore }) {
        const client = of(name);
        const apartMs = client.attemptedAt === undefined ? undefined : at - client.attemptedAt;
        if (apartMs !== undefined && apartMs < attemptsApartMs - toleranceMs && !mayHurry(because)) {
          fail("I4", `${name} began an attempt ${Math.round(apartMs)} ms after the one before`);
        }
        const waitedMs = at - client.closedAt;
        if (client.failures >= failuresBeforeSlow && waitedMs < slowApartMs - toleranceMs && because === undefined) {
          fail("I4", `${name} waited only ${Math.round(waitedMs)} ms after ${client.failures} failures in a row`);
        }
        if (notBefore !== undefined && at < notBefore - toleranceMs && because !== "person") {
          fail("I4", `${name} came ${Math.round(notBefore - at)} ms before the time that it was told`);
        }
        const isTooSoon = client.refusals > 1 && waitedMs < refusalsApartMs - toleranceMs;
        if (because === "credential" && (isTooSoon || client.refusals > refusalsMax)) {
          fail(
            "I4",
            `${name} showed another credential ${Math.round(waitedMs)} ms after ${client.refusals} were refused in a row`,
          );
        }
        client.attemptedAt = at;
        client.welcomedAt = undefined;
        client.settledAt = undefined;
      },
      welcomed({ client, at }) {
        Object.assign(of(client), { welcomedAt: at, refusals: 0 });
      },
      settled({ client: name, at }) {
        const client = of(name);
        client.settledAt ??= at;
      },
      closed({ client: name, at, code }) {
        const client = of(name);
        const { welcomedAt, settledAt } = client;
        const isProven =
          welcomedAt !== undefined && settledAt !== undefined && at - welcomedAt >= provenMs - toleranceMs;
        if (isProven) client.failures = 1;
        else if (!stopping.has(code)) client.failures += 1;
        client.closedAt = at;
        if (code === unauthenticated) client.refusals += 1;
      },
      socketsOwned({ client, count }) {
        if (count > 1) fail("I4", `${client} owns ${count} sockets`);
      },
      clientEnded: ({ client }) => void clients.delete(client),
    },
  };
}
