/**
 * I4: at most one owned socket a client (CL-6); attempts start ≥ 1 s apart; more than five failures in a row are ≥ 15 s
 * apart, whatever the server does (CL-3).
 *
 * A failure in a row is a connection, or an attempt at one, that ended before it had been good: 10 s old, with every
 * subscription settled. What a person asks for, `online`, and a changed identity may pass (CL-4, CL-5, OP-5).
 */
import type { Fail, Invariant } from "../invariant.ts";
import type { Observed } from "../observation.ts";

const attemptsApartMs = 1_000;
const failuresBeforeSlow = 6;
const slowApartMs = 15_000;
const provenMs = 10_000;
/** Two clocks may round differently. */
const toleranceMs = 5;

interface ClientRecord {
  attemptedAt: number | undefined;
  closedAt: number;
  failures: number;
  welcomedAt: number | undefined;
  settledAt: number | undefined;
}

/** Even a time that the server names keeps attempts apart; only a person, `online` and an identity pass that too. */
function mayHurry(because: Observed<"attempted">["because"]): boolean {
  return because === "person" || because === "online" || because === "identity";
}

export function oneSocket(fail: Fail): Invariant {
  const clients = new Map<string, ClientRecord>();
  const of = (name: string): ClientRecord => {
    const found = clients.get(name) ?? {
      attemptedAt: undefined,
      closedAt: 0,
      failures: 0,
      welcomedAt: undefined,
      settledAt: undefined,
    };
    clients.set(name, found);
    return found;
  };
  return {
    on: {
      attempted({ client: name, at, because }) {
        const client = of(name);
        const apartMs = client.attemptedAt === undefined ? undefined : at - client.attemptedAt;
        if (apartMs !== undefined && apartMs < attemptsApartMs - toleranceMs && !mayHurry(because)) {
          fail("I4", `${name} began an attempt ${Math.round(apartMs)} ms after the one before`);
        }
        const waitedMs = at - client.closedAt;
        if (client.failures >= failuresBeforeSlow && waitedMs < slowApartMs - toleranceMs && because === undefined) {
          fail("I4", `${name} waited only ${Math.round(waitedMs)} ms after ${client.failures} failures in a row`);
        }
        client.attemptedAt = at;
        client.welcomedAt = undefined;
        client.settledAt = undefined;
      },
      welcomed({ client, at }) {
        of(client).welcomedAt = at;
      },
      settled({ client: name, at }) {
        const client = of(name);
        client.settledAt ??= at;
      },
      closed({ client: name, at }) {
        const client = of(name);
        const { welcomedAt, settledAt } = client;
        const isProven =
          welcomedAt !== undefined && settledAt !== undefined && at - welcomedAt >= provenMs - toleranceMs;
        client.failures = isProven ? 1 : client.failures + 1;
        client.closedAt = at;
      },
      socketsOwned({ client, count }) {
        if (count > 1) fail("I4", `${client} owns ${count} sockets`);
      },
      clientEnded: ({ client }) => void clients.delete(client),
    },
  };
}
