/**
 * `weather.make`: an admin of a server in development mode breaks what everybody there depends on, for a while.
 *
 * It is audited and told to all nodes in the transaction that answers it, and each node makes it so afterwards: who
 * asked has an answer before the store is away. Invariant: every fault ends by itself, since nobody could be asked to
 * end one of the store's.
 */
import { z } from "zod";
import type { Method, Principal, Transaction } from "../plugin.ts";
import { type Fault, faultKinds, faultSecondsByDefault, faultSecondsMax } from "./fault.ts";

const paramsOf = (offered: readonly Fault[]) =>
  z.strictObject({
    fault: z.enum(offered),
    seconds: z.int().min(1).max(faultSecondsMax).default(faultSecondsByDefault),
  });

/** As a server declares it that can make these. */
export function weatherMethod(offered: readonly Fault[] = faultKinds): Method {
  return {
    doc: "In development mode: takes the database or the bus away from all nodes for some seconds, or starts the server again.",
    role: "admin",
    kind: "effect",
    audited: { told: ["fault", "seconds"] },
    params: paramsOf(offered),
    result: z.object({ fault: z.enum(faultKinds), until: z.int() }),
    async handle(tx: Transaction, { fault, seconds }: z.output<ReturnType<typeof paramsOf>>, caller: Principal) {
      const until = tx.now + seconds * 1_000;
      tx.tellNodes({ kind: "weather", fault, until, by: caller.id });
      return { fault, until };
    },
  };
}
