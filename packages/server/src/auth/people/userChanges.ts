/**
 * `user.setRole` and `user.remove`: what becomes of somebody who is here.
 *
 * Invariant: with the change goes the notice of it, in one transaction, so that every node acts on it (AU-9): another
 * role sends the person's connections back (1012), removal ends every credential of theirs (4403). Who was removed
 * stays removed, since the row stays.
 */
import { personRole } from "@holdfast/protocol/schema";
import { z } from "zod";
import { credentialName } from "../verdict.ts";
import { id, method } from "./method.ts";
import { requireAdmin, requireDispensable, requirePerson } from "./persons.ts";

export const userSetRole = method({
  doc: "Gives a person another role; their connections come back with it at once. The last admin, and the owner of the machine, stay admins.",
  role: "admin",
  kind: "effect",
  audited: { object: { type: "user", id: "user" }, told: ["name", "role", "before"] },
  params: z.strictObject({ user: id, role: personRole }),
  result: z.object({ user: id, name: z.string(), role: personRole, before: personRole }),
  async handle(tx, { user, role }, caller) {
    await requireAdmin(tx, caller);
    const person = await requirePerson(tx, user);
    const done = { user, name: person.name, role, before: person.role };
    if (role === person.role) return done;
    if (role !== "admin") await requireDispensable(tx, person);
    await tx.db.updateTable("auth_users").set({ role }).where("id", "=", user).execute();
    tx.tellNodes({ kind: "rightsChanged", workspace: tx.workspace, principal: user });
    return done;
  },
  tell: (log, { by, request, result: { user, role, before } }) =>
    log.info("auth.role_changed", { user, role, before, by, request }),
});

export const userRemove = method({
  doc: "Removes a person for good: their sessions, keys and links end at once, and no provider signs them in again.",
  role: "admin",
  kind: "effect",
  audited: { object: { type: "user", id: "user" }, told: ["name", "sessions", "keys"] },
  params: z.strictObject({ user: id }),
  result: z.object({ user: id, name: z.string(), sessions: z.int(), keys: z.int() }),
  async handle(tx, { user }, caller) {
    await requireAdmin(tx, caller);
    const person = await requirePerson(tx, user);
    await requireDispensable(tx, person);
    const { db, tellNodes } = tx;
    await db.updateTable("auth_users").set({ removed: 1 }).where("id", "=", user).execute();
    await db.deleteFrom("auth_sign_in_codes").where("user", "=", user).execute();
    const sessions = await db.deleteFrom("auth_sessions").where("user", "=", user).returning("id").execute();
    const keys = await db
      .updateTable("auth_keys")
      .set({ revoked: 1 })
      .where("user", "=", user)
      .where("revoked", "=", 0)
      .returning("id")
      .execute();
    const ended = [
      ...sessions.map((session) => credentialName("session", session.id)),
      ...keys.map((key) => credentialName("key", key.id)),
      credentialName("user", user),
    ];
    for (const credential of ended) tellNodes({ kind: "credentialEnded", credential });
    return { user, name: person.name, sessions: sessions.length, keys: keys.length };
  },
  tell: (log, { by, request, result: { user, sessions, keys } }) =>
    log.info("auth.user_removed", { user, sessions, keys, by, request }),
});
