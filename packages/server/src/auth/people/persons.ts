/**
 * The people of a workspace as the methods about them find and guard them.
 *
 * Invariants: a person of another workspace, a removed and an unknown one are the same answer; whoever decides about
 * others is an admin in the very transaction that decides, not only when the verdict on them was given (AU-9); a
 * workspace keeps an admin who can come in, and the owner of the machine stays one.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Principal } from "../../plugin.ts";
import { type AuthTables, ownerId } from "../schema.ts";
import type { PeopleTransaction } from "./method.ts";

export type Person = Pick<AuthTables["auth_users"], "id" | "name" | "role" | "issuer">;

/** Throws `not_found`. */
export async function requirePerson({ db, workspace }: PeopleTransaction, id: string): Promise<Person> {
  const person = await db
    .selectFrom("auth_users")
    .select(["id", "name", "role", "issuer"])
    .where("id", "=", id)
    .where("workspace", "=", workspace)
    .where("removed", "=", 0)
    .executeTakeFirst();
  if (person === undefined)
    throw new ProtocolError("not_found", `There is no person "${id}" here; take an id from user.list.`, {
      about: { type: "user", id },
    });
  return person;
}

/** Throws `forbidden` where {@link isAdmin} does not hold. */
export async function requireAdmin(tx: PeopleTransaction, caller: Principal): Promise<void> {
  if (await isAdmin(tx, caller)) return;
  throw new ProtocolError("forbidden", `This needs the role admin, which ${caller.name} does not have.`);
}

/** By the verdict, and in the store now: a node may not have heard yet that the right is gone. */
export async function isAdmin({ db }: PeopleTransaction, caller: Principal): Promise<boolean> {
  if (caller.role !== "admin") return false;
  const row = await db
    .selectFrom("auth_users")
    .select(["role", "removed"])
    .where("id", "=", caller.id)
    .executeTakeFirst();
  // Without a row: somebody of development mode, or whom an issuer signed in while the store was away.
  return row === undefined || (row.removed === 0 && row.role === "admin");
}

/** Throws `conflict` where this person must stay an admin. */
export async function requireDispensable(tx: PeopleTransaction, { id, name, role }: Person): Promise<void> {
  if (id === ownerId)
    throw new ProtocolError(
      "conflict",
      `${name} is whoever has the command line of this server's machine, and stays an admin.`,
      { about: { type: "user", id }, details: { reason: "owner" } },
    );
  if (role === "admin" && !(await hasOtherAdmin(tx, id)))
    throw new ProtocolError("conflict", `${name} is the last admin here; make somebody else one first.`, {
      about: { type: "user", id },
      details: { reason: "last_admin" },
    });
}

/** Somebody else who can come in by themselves: the owner, a provider's person, or who has a session. */
async function hasOtherAdmin({ db, workspace, now }: PeopleTransaction, id: string): Promise<boolean> {
  const other = await db
    .selectFrom("auth_users")
    .select("id")
    .where("workspace", "=", workspace)
    .where("role", "=", "admin")
    .where("removed", "=", 0)
    .where("id", "!=", id)
    .where((where) =>
      where.or([
        where("id", "=", ownerId),
        where("issuer", "is not", null),
        where.exists(
          where
            .selectFrom("auth_sessions")
            .select("auth_sessions.id")
            .whereRef("auth_sessions.user", "=", "auth_users.id")
            .where("auth_sessions.expires", ">", now),
        ),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
