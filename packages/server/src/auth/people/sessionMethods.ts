/**
 * `session.list` and `session.revoke`: where somebody is signed in, and ending it. Everybody their own, admins anybody's.
 *
 * Invariant: to who may not see it, a session is as unknown as one that never was. What a session was begun with (a
 * browser, an address) is deliberately not kept.
 */
import { ProtocolError } from "@holdfast/protocol";
import { sessionEntry } from "@holdfast/protocol/schema";
import { z } from "zod";
import { credentialName } from "../verdict.ts";
import { id, method, type PeopleTransaction } from "./method.ts";
import { isAdmin, requireAdmin, requirePerson } from "./persons.ts";

export const sessionList = method({
  doc: "Where the caller is signed in, the newest session first; admins may name another `user`.",
  role: "viewer",
  kind: "read",
  params: z.strictObject({ user: id.optional() }),
  result: z.object({ items: z.array(sessionEntry) }),
  async handle(tx, params, caller) {
    const { user = caller.id } = params;
    if (user !== caller.id) {
      await requireAdmin(tx, caller);
      await requirePerson(tx, user);
    }
    const rows = await tx.db
      .selectFrom("auth_sessions")
      .select(["id", "user", "created", "expires"])
      .where("user", "=", user)
      .where("expires", ">", tx.now)
      .orderBy("created", "desc")
      .orderBy("id", "desc")
      .execute();
    return {
      items: rows.map(({ id: found, user: whose, created, expires }) => ({
        id: found,
        user: whose,
        created: Number(created),
        expiresAt: Number(expires),
        current: found === caller.session,
      })),
    };
  },
});

export const sessionRevoke = method({
  doc: "Ends a session, on every node at once: one's own, or for admins anybody's.",
  role: "viewer",
  kind: "effect",
  audited: { object: { type: "session", id: "session" }, told: ["user"] },
  params: z.strictObject({ session: id }),
  result: z.object({ session: id, user: id }),
  async handle(tx, { session: asked }, caller) {
    const user = await holderOf(tx, asked);
    if (user === undefined || (user !== caller.id && !(await isAdmin(tx, caller))))
      throw new ProtocolError(
        "not_found",
        `There is no session "${asked}", or it is over; take an id from session.list.`,
        { about: { type: "session", id: asked } },
      );
    await tx.db.deleteFrom("auth_sessions").where("id", "=", asked).execute();
    tx.tellNodes({ kind: "credentialEnded", credential: credentialName("session", asked) });
    return { session: asked, user };
  },
  tell: (log, { by, request, result: { session: ended, user } }) =>
    log.info("auth.session_revoked", { session: ended, user, by, request }),
});

/** Whose a session is that has not ended; undefined: nobody's of this workspace. */
async function holderOf({ db, workspace, now }: PeopleTransaction, asked: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("auth_sessions")
    .innerJoin("auth_users", "auth_users.id", "auth_sessions.user")
    .select("auth_sessions.user")
    .where("auth_sessions.id", "=", asked)
    .where("auth_sessions.expires", ">", now)
    .where("auth_users.workspace", "=", workspace)
    .executeTakeFirst();
  return row?.user;
}
