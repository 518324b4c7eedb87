/**
 * `key.create`, `key.list` and `key.revoke`: API keys for agents on other machines, and for scripts.
 *
 * Life cycle of a key: told once, to who made it → bound to one agent at its first use, where it is an agent's (OP-6); a
 * script's acts under its own name → ended by an admin, on every node at once, or by its time. Invariants: the key itself
 * is stored nowhere, not even in the answer (RQ-1); a key is of its workspace, and another's is as unknown as one that
 * never was. A key is deliberately no part of who made it: it stays when they go, and `key.list` says who it was.
 */
import { ProtocolError } from "@holdfast/protocol";
import { z } from "zod";
import { signingKeyNow } from "../signingKeyTasks.ts";
import { apiKeyPrefix, signToken } from "../tokens.ts";
import { credentialName } from "../verdict.ts";
import { id, method, type PeopleTransaction, plainName } from "./method.ts";
import { requireAdmin } from "./persons.ts";

/** Keys of a workspace that hold. */
const keysMax = 1_000;
const daysMax = 365;
const dayMs = 86_400_000;

const role = z.enum(["agent", "viewer", "operator", "admin"]);
const made = z.object({ key: id, name: z.string(), role, expiresAt: z.number() });
const entry = made.extend({
  /** ms since 1970; 0 of a key from before this was noted. */
  created: z.number(),
  /** Who made it; absent of the server's own. */
  by: z.string().optional(),
});

export const keyCreate = method({
  doc: "Makes an API key: for an agent on another machine (role `agent`, bound to one agent at its first use), or for a script, which acts under the key's name. `secret` is told once: who repeats the request gets the rest.",
  role: "admin",
  kind: "effect",
  secret: ["secret"],
  audited: { object: { type: "key", id: "key" }, told: ["name", "role", "days"] },
  params: z.strictObject({ name: plainName, role, days: z.int().min(1).max(daysMax).default(daysMax) }),
  result: made.extend({ secret: z.string() }),
  async handle(tx, { name, role: as, days }, caller) {
    await requireAdmin(tx, caller);
    await requireRoom(tx);
    const { db, now, workspace } = tx;
    const key = tx.newId();
    const enrol = as === "agent";
    // A token's end is told in seconds.
    const expires = Math.floor((now + days * dayMs) / 1_000);
    await db
      .insertInto("auth_keys")
      .values({
        id: key,
        name,
        user: null,
        role: as,
        enrol: enrol ? 1 : 0,
        expires: expires * 1_000,
        revoked: 0,
        workspace,
        created: now,
        made_by: caller.id,
      })
      .execute();
    const token = signToken(
      await signingKeyNow(tx),
      {
        kind: "key",
        jti: key,
        sub: key,
        exp: expires,
        name,
        role: as,
        workspace,
        enrol,
      },
      now,
    );
    return { key, name, role: as, expiresAt: expires * 1_000, secret: apiKeyPrefix + token };
  },
  tell: (log, { by, request, result: { key, name, role: as } }) =>
    log.info("auth.key_made", { holder: name, role: as, keyId: key, by, request }),
});

export const keyList = method({
  doc: "The API keys that hold, the newest first: for whom, as what, until when, and who made them.",
  role: "admin",
  kind: "read",
  params: z.strictObject({}),
  result: z.object({ items: z.array(entry) }),
  async handle(tx, _, caller) {
    await requireAdmin(tx, caller);
    const rows = await holding(tx)
      .select(["id", "name", "role", "expires", "created", "made_by"])
      .orderBy("created", "desc")
      .orderBy("id", "desc")
      .limit(keysMax)
      .execute();
    return {
      items: rows.map(({ id: key, name, role: as, expires, created, made_by: by }) => ({
        key,
        name,
        role: as,
        expiresAt: Number(expires),
        created: Number(created),
        ...(by !== null && { by }),
      })),
    };
  },
});

export const keyRevoke = method({
  doc: "Ends an API key, on every node at once: who is connected by it is sent away, and it signs nobody in again.",
  role: "admin",
  kind: "effect",
  audited: { object: { type: "key", id: "key" }, told: ["name", "role"] },
  params: z.strictObject({ key: id }),
  result: z.object({ key: id, name: z.string(), role }),
  async handle(tx, { key }, caller) {
    await requireAdmin(tx, caller);
    const row = await holding(tx).select(["name", "role"]).where("id", "=", key).executeTakeFirst();
    if (row === undefined)
      throw new ProtocolError("not_found", `There is no key "${key}", or it has ended; take an id from key.list.`, {
        about: { type: "key", id: key },
      });
    await tx.db.updateTable("auth_keys").set({ revoked: 1 }).where("id", "=", key).execute();
    tx.tellNodes({ kind: "credentialEnded", credential: credentialName("key", key) });
    return { key, ...row };
  },
  tell: (log, { by, request, result: { key } }) => log.info("auth.key_revoked", { keyId: key, by, request }),
});

function holding({ db, workspace, now }: PeopleTransaction) {
  return db
    .selectFrom("auth_keys")
    .where("workspace", "=", workspace)
    .where("revoked", "=", 0)
    .where("expires", ">", now);
}

/** Throws `conflict` where the table is full. */
async function requireRoom(tx: PeopleTransaction): Promise<void> {
  const { keys } = await holding(tx)
    .select(({ fn }) => fn.countAll<number>().as("keys"))
    .executeTakeFirstOrThrow();
  if (Number(keys) >= keysMax)
    throw new ProtocolError("conflict", `There are ${keysMax} keys, which is the most; end some that nobody needs.`, {
      details: { reason: "full", limit: keysMax },
    });
}
