/**
 * I4 (CL-3, F16): clients that lose good connections do not all come back after the same time.
 *
 * The delay after the end of a good connection is drawn anew each time; five of one length in a row, of whichever
 * clients, were not drawn. Counted are returns after which nothing named a time and nobody asked: those are chance.
 */
import type { Fail, Invariant } from "../invariant.ts";

/** By chance once in a hundred million, where delays are drawn from a second. */
const alikeMax = 5;
const alikeMs = 2;
const provenMs = 10_000;

interface ClientRecord {
  welcomedAt: number | undefined;
  isSettled: boolean;
  /** When its last good connection ended, until it comes back. */
  lostAt: number | undefined;
}

export function jitteredReturns(fail: Fail): Invariant {
  const clients = new Map<string, ClientRecord>();
  let last = Number.NaN;
  let alike = 0;
  const of = (name: string): ClientRecord => {
    const found = clients.get(name) ?? { welcomedAt: undefined, isSettled: false, lostAt: undefined };
    clients.set(name, found);
    return found;
  };
  return {
    on: {
      welcomed({ client, at }) {
        Object.assign(of(client), { welcomedAt: at, isSettled: false });
      },
      settled({ client }) {
        of(client).isSettled = true;
      },
      closed({ client: name, at }) {
        const client = of(name);
        const isGood = client.isSettled && client.welcomedAt !== undefined && at - client.welcomedAt >= provenMs;
        Object.assign(client, { welcomedAt: undefined, isSettled: false, lostAt: isGood ? at : undefined });
      },
      attempted({ client: name, at, because }) {
        const client = of(name);
        const { lostAt } = client;
        client.lostAt = undefined;
        if (lostAt === undefined || because !== undefined) return;
        const delayMs = at - lostAt;
        alike = Math.abs(delayMs - last) <= alikeMs ? alike + 1 : 1;
        last = delayMs;
        if (alike < alikeMax) return;
        alike = 0;
        fail("I4", `${alikeMax} clients in a row came back ${Math.round(delayMs)} ms after a loss: nobody drew that`);
      },
      clientEnded: ({ client }) => void clients.delete(client),
    },
  };
}
