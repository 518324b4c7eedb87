/**
 * People whom another issuer signs in, in the store: made at their first sign-in, one transaction each.
 *
 * Run by the store's worker. Invariants: a person is one row for ever, whatever name the issuer tells meanwhile; the
 * role is written once, at the first sign-in, and is this server's from then on; who was removed stays removed, since
 * the row stays. These see no token.
 */
import type { Role, User } from "@holdfast/protocol";
import type { Task, Transaction } from "../plugin.ts";
import type { AuthTables } from "./schema.ts";
import { credentialName } from "./verdict.ts";

/** All people of a deployment: whoever may open an account with a provider could fill the table. */
export const usersMax = 10_000;
/** Of one person at once: browsers in which they are signed in. */
export const sessionsMax = 100;

type AuthTransaction = Transaction<AuthTables>;
type Person = Omit<User, "temporary">;

export interface AccountWork {
  /** null: removed, or no room for another one. */
  "auth.account": { input: NewAccount; output: { name: string; role: Role } | null };
  /** AU-9: from now on, on every node. false: unknown or removed. */
  "auth.setRole": { input: { user: string; role: Exclude<Role, "agent"> }; output: boolean };
  /** A session of somebody who was judged by other means. null: unknown or removed. */
  "auth.beginSession": {
    input: { user: string; session: string; lifeMs: number };
    output: { user: Person; expiresAt: number } | null;
  };
}

export interface NewAccount {
  readonly id: string;
  readonly name: string;
  /** Where it is the first time. */
  readonly role: Exclude<Role, "agent">;
  readonly workspace: string;
  readonly issuer: string;
  readonly subject: string;
}

type Work = {
  readonly [Name in keyof AccountWork]: (
    tx: AuthTransaction,
    input: AccountWork[Name]["input"],
  ) => Promise<AccountWork[Name]["output"]>;
};

const work: Work = {
  "auth.account": async ({ db }, account) => {
    const { id, name } = account;
    const known = await db
      .selectFrom("auth_users")
      .select(["name", "role", "removed"])
      .where("id", "=", id)
      .executeTakeFirst();
    if (known === undefined) {
      if (!(await hasRoom(db))) return null;
      await db
        .insertInto("auth_users")
        .values({ ...account, removed: 0 })
        .execute();
      return { name, role: account.role };
    }
    if (known.removed !== 0) return null;
    if (known.name !== name) await db.updateTable("auth_users").set({ name }).where("id", "=", id).execute();
    return { name, role: known.role };
  },

  "auth.setRole": async ({ db, tellNodes }, { user: id, role }) => {
    const user = await db
      .updateTable("auth_users")
      .set({ role })
      .where("id", "=", id)
      .where("removed", "=", 0)
      .returning("workspace")
      .executeTakeFirst();
    if (user !== undefined) tellNodes({ kind: "rightsChanged", workspace: user.workspace, principal: id });
    return user !== undefined;
  },

  "auth.beginSession": async (tx, { user: id, session, lifeMs }) => {
    const user = await tx.db
      .selectFrom("auth_users")
      .select(["id", "name", "role", "workspace"])
      .where("id", "=", id)
      .where("removed", "=", 0)
      .executeTakeFirst();
    return user === undefined ? null : { user, expiresAt: await beginSession(tx, { user: id, session, lifeMs }) };
  },
};

export const accountTasks: Readonly<Record<keyof AccountWork, Task>> = work;

/** Writes it, and drops what is over; beyond {@link sessionsMax} the one ends that nobody has used for longest. Its end, ms since 1970. */
export async function beginSession(
  { db, now, tellNodes }: AuthTransaction,
  { user, session, lifeMs }: { user: string; session: string; lifeMs: number },
): Promise<number> {
  await db.deleteFrom("auth_sessions").where("expires", "<=", now).execute();
  const older = await db
    .selectFrom("auth_sessions")
    .select("id")
    .where("user", "=", user)
    .orderBy("expires")
    .orderBy("id")
    .execute();
  for (const { id } of older.slice(0, Math.max(0, older.length + 1 - sessionsMax))) {
    await db.deleteFrom("auth_sessions").where("id", "=", id).execute();
    tellNodes({ kind: "credentialEnded", credential: credentialName("session", id) });
  }
  const expires = now + lifeMs;
  await db.insertInto("auth_sessions").values({ id: session, user, created: now, expires }).execute();
  return expires;
}

async function hasRoom(db: AuthTransaction["db"]): Promise<boolean> {
  const { users } = await db
    .selectFrom("auth_users")
    .select(({ fn }) => fn.countAll<number>().as("users"))
    .executeTakeFirstOrThrow();
  return Number(users) < usersMax;
}
