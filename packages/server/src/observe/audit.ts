/**
 * The stream `audit`: who has done what to the deployment, and when, for admins; kept as long as the table says.
 *
 * Invariant: an entry is written in the transaction of the deed itself, so that neither is there without the other. It
 * holds what was asked for, never a secret.
 */
import type { Principal, StreamFamily, Transaction } from "../plugin.ts";

export const auditStream = "audit";

export const auditFamily: StreamFamily = {
  name: auditStream,
  always: true,
  inbox: false,
  mayRead: ({ role }) => role === "admin",
  lifetime: "audit",
};

/** `action`: the method. `about`: what of it is to be known. */
export function audit(
  tx: Pick<Transaction, "append">,
  caller: Principal,
  action: string,
  about: Readonly<Record<string, unknown>>,
): void {
  const by = { id: caller.id, name: caller.name, role: caller.role };
  tx.append(auditStream, { event: "audit.done", data: { by, action, about } });
}
