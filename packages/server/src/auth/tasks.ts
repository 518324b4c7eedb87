/**
 * What sign-in does in the store, one transaction each.
 *
 * Run by the store's worker with its own clock (`tx.now`), so an expiry is judged where it is kept. Invariants:
 * a sign-in code works once, since taking it is deleting it; outstanding codes are bounded, the oldest
 * gives way. These deliberately see hashes and ids only, never a code, a cookie or an API key.
 */
import type { Role, User } from "@holdfast/protocol";
import type { Task, Transaction } from "../plugin.ts";
import { beginSession } from "./accountTasks.ts";
import type { AuthTables } from "./schema.ts";
import { keepCode } from "./signInCode.ts";
import { credentialName } from "./verdict.ts";

/** Outstanding sign-in codes of the owner. */
export const signInCodesMax = 20;

type AuthTransaction = Transaction<AuthTables>;
type Person = Omit<User, "temporary">;

/** What the service gives to each task, and what it gets: the one place where both sides agree. */
export interface AuthWork {
  "auth.addCode": { input: { hash: string; user: string; lifeMs: number }; output: { expiresAt: number } };
  /** null: unknown, used or expired, which nobody can tell apart. */
  "auth.redeemCode": {
    input: { hash: string; session: string; lifeMs: number };
    output: { user: Person; expiresAt: number } | null;
  };
  /** null: ended or never there. `expiresAt`: its end as it is now, ms since 1970. */
  "auth.session": { input: { id: string }; output: { name: string; role: Role; expiresAt: number } | null };
  /** It lasts `lifeMs` from now. null: over, ended or never there. */
  "auth.extendSession": {
    input: { id: string; lifeMs: number };
    output: { user: Person; expiresAt: number } | null;
  };
  "auth.endSession": { input: { id: string }; output: null };
  /** `replaces`: revokes all other keys of the same name and user. `holder`: the name of who acts with it. */
  "auth.addKey": { input: NewKey; output: { id: string; holder: string; expiresAt: number; replaced: string[] } };
  /** null: revoked or never there. */
  "auth.key": { input: { id: string }; output: { name: string; role: Role } | null };
  "auth.revokeKey": { input: { id: string }; output: null };
}

export interface NewKey {
  readonly id: string;
  readonly name: string;
  readonly user: string | null;
  readonly role: Role;
  readonly enrol: boolean;
  readonly lifeMs: number;
  readonly replaces: boolean;
  /** Takes the one that there is of the same name, user and role in place of a new one. */
  readonly reuses: boolean;
}

type Work = {
  readonly [Name in keyof AuthWork]: (
    tx: AuthTransaction,
    input: AuthWork[Name]["input"],
  ) => Promise<AuthWork[Name]["output"]>;
};

const work: Work = {
  "auth.addCode": async (tx, code) => ({ expiresAt: await keepCode(tx, { ...code, codesMax: signInCodesMax }) }),

  "auth.redeemCode": async (tx, { hash, session, lifeMs }) => {
    const { db, now } = tx;
    const code = await db
      .deleteFrom("auth_sign_in_codes")
      .where("hash", "=", hash)
      .returning(["user", "expires"])
      .executeTakeFirst();
    if (code === undefined || Number(code.expires) <= now) return null;
    const user = await personOf(db, code.user);
    return { user, expiresAt: await beginSession(tx, { user: user.id, session, lifeMs }) };
  },

  "auth.session": async ({ db }, { id }) => {
    const row = await db
      .selectFrom("auth_sessions")
      .innerJoin("auth_users", "auth_users.id", "auth_sessions.user")
      .select(["auth_users.name", "auth_users.role", "auth_sessions.expires"])
      .where("auth_sessions.id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : { name: row.name, role: row.role, expiresAt: Number(row.expires) };
  },

  "auth.extendSession": async ({ db, now }, { id, lifeMs }) => {
    const expiresAt = now + lifeMs;
    const row = await db
      .updateTable("auth_sessions")
      .set({ expires: expiresAt })
      .where("id", "=", id)
      .where("expires", ">", now)
      .returning("user")
      .executeTakeFirst();
    if (row === undefined) return null;
    return { user: await personOf(db, row.user), expiresAt };
  },

  "auth.endSession": async ({ db, tellNodes }, { id }) => {
    const { numDeletedRows } = await db.deleteFrom("auth_sessions").where("id", "=", id).executeTakeFirstOrThrow();
    if (numDeletedRows > 0) tellNodes({ kind: "credentialEnded", credential: credentialName("session", id) });
    return null;
  },

  "auth.addKey": async ({ db, now, tellNodes }, { id, name, user, role, enrol, lifeMs, replaces, reuses }) => {
    await db.deleteFrom("auth_keys").where("expires", "<=", now).execute();
    const known = reuses ? await knownKey(db, { name, user, role }) : undefined;
    if (known !== undefined)
      return { id: known.id, holder: await holderOf(db, user, name), expiresAt: Number(known.expires), replaced: [] };
    const replaced = replaces
      ? await db
          .updateTable("auth_keys")
          .set({ revoked: 1 })
          .where("name", "=", name)
          .where("user", user === null ? "is" : "=", user)
          .where("revoked", "=", 0)
          .returning("id")
          .execute()
      : [];
    const expiresAt = now + lifeMs;
    await db
      .insertInto("auth_keys")
      .values({
        id,
        name,
        user,
        role,
        enrol: enrol ? 1 : 0,
        expires: expiresAt,
        revoked: 0,
        created: now,
        made_by: null,
      })
      .execute();
    for (const old of replaced) tellNodes({ kind: "credentialEnded", credential: credentialName("key", old.id) });
    return { id, holder: await holderOf(db, user, name), expiresAt, replaced: replaced.map((row) => row.id) };
  },

  "auth.key": async ({ db }, { id }) => {
    const row = await db
      .selectFrom("auth_keys")
      .select(["name", "role", "user"])
      .where("id", "=", id)
      .where("revoked", "=", 0)
      .executeTakeFirst();
    return row === undefined ? null : { name: await holderOf(db, row.user, row.name), role: row.role };
  },

  "auth.revokeKey": async ({ db, tellNodes }, { id }) => {
    await db.updateTable("auth_keys").set({ revoked: 1 }).where("id", "=", id).execute();
    tellNodes({ kind: "credentialEnded", credential: credentialName("key", id) });
    return null;
  },
};

async function personOf(db: AuthTransaction["db"], id: string): Promise<Person> {
  return db
    .selectFrom("auth_users")
    .select(["id", "name", "role", "workspace"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

/** The one that ends last. */
async function knownKey(db: AuthTransaction["db"], { name, user, role }: Pick<NewKey, "name" | "user" | "role">) {
  return (
    db
      .selectFrom("auth_keys")
      .select(["id", "expires"])
      .where("name", "=", name)
      .where("user", user === null ? "is" : "=", user)
      .where("role", "=", role)
      .where("revoked", "=", 0)
      // Who made a key has its token: under the name of one of the server's own, it is not one of those.
      .where("made_by", "is", null)
      .orderBy("expires", "desc")
      .orderBy("id")
      .limit(1)
      .executeTakeFirst()
  );
}

/** A key that acts for a person bears the person's name. */
async function holderOf(db: AuthTransaction["db"], user: string | null, keyName: string): Promise<string> {
  if (user === null) return keyName;
  const row = await db.selectFrom("auth_users").select("name").where("id", "=", user).executeTakeFirstOrThrow();
  return row.name;
}

export const authTasks: Readonly<Record<keyof AuthWork, Task>> = work;
