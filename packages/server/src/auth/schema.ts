/**
 * The tables of sign-in: the deployment's signing keys, users, sign-in codes, sessions, API keys.
 *
 * One schema for SQLite and PostgreSQL: text, integers, times in ms since 1970. Invariants: a sign-in code is
 * stored as its hash only; a session or key is stored by its id, never as the token that carries it. Which
 * agent a key belongs to (OP-6) is the control domain's to keep.
 */
import type { Role } from "@holdfast/protocol";
import type { Generated } from "kysely";
import type { Migration } from "kysely/migration";

/** The owner of this machine: who signs in with a code of the command line. */
export const ownerId = "owner";
const owner = { id: ownerId, name: "Owner", role: "admin", workspace: "default" } as const;

export interface AuthTables {
  /** `signs_from`: known to all nodes before; `ends`: nothing that it signed holds any more, null while none follows it. */
  auth_signing_keys: { slot: string; id: string; jwk: string; made: number; signs_from: number; ends: number | null };
  /** `issuer` and `subject`: who signs the person in, null where we do. `removed`: 0 or 1. */
  auth_users: {
    id: string;
    name: string;
    role: Exclude<Role, "agent">;
    workspace: string;
    issuer: string | null;
    subject: string | null;
    removed: number;
  };
  auth_sign_in_codes: { hash: string; user: string; created: number; expires: number };
  auth_sessions: { id: string; user: string; created: number; expires: number };
  /**
   * `user`: whom the key acts for; null where it acts for an agent, or under its own name. `enrol` and `revoked`: 0 or 1.
   * `made_by`: the person who asked for it, null of the server's own.
   */
  auth_keys: {
    id: string;
    name: string;
    user: string | null;
    role: Role;
    enrol: number;
    expires: number;
    revoked: number;
    workspace: Generated<string>;
    created: Generated<number>;
    made_by: string | null;
  };
}

export const authMigrations: Readonly<Record<string, Migration>> = {
  "auth-001-sign-in": {
    async up(db) {
      await db.schema
        .createTable("auth_signing_keys")
        .addColumn("slot", "text", (column) => column.primaryKey())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("jwk", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("auth_users")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .execute();
      await db.insertInto("auth_users").values(owner).execute();
      for (const [table, key] of [
        ["auth_sign_in_codes", "hash"],
        ["auth_sessions", "id"],
      ] as const) {
        await db.schema
          .createTable(table)
          .addColumn(key, "text", (column) => column.primaryKey())
          .addColumn("user", "text", (column) => column.notNull().references("auth_users.id").onDelete("cascade"))
          .addColumn("created", "bigint", (column) => column.notNull())
          .addColumn("expires", "bigint", (column) => column.notNull())
          .execute();
        await db.schema.createIndex(`${table}_expires`).on(table).column("expires").execute();
      }
      await db.schema
        .createTable("auth_keys")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("user", "text", (column) => column.references("auth_users.id").onDelete("cascade"))
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("enrol", "integer", (column) => column.notNull())
        .addColumn("expires", "bigint", (column) => column.notNull())
        .addColumn("revoked", "integer", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("auth_keys_expires").on("auth_keys").column("expires").execute();
    },
  },
  "auth-002-accounts": {
    async up(db) {
      await db.schema.alterTable("auth_users").addColumn("issuer", "text").execute();
      await db.schema.alterTable("auth_users").addColumn("subject", "text").execute();
      await db.schema
        .alterTable("auth_users")
        .addColumn("removed", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  "auth-003-signing-keys": {
    async up(db) {
      for (const name of ["made", "signs_from"])
        await db.schema
          .alterTable("auth_signing_keys")
          .addColumn(name, "bigint", (column) => column.notNull().defaultTo(0))
          .execute();
      await db.schema.alterTable("auth_signing_keys").addColumn("ends", "bigint").execute();
    },
  },
  "auth-004-keys": {
    async up(db) {
      await db.schema
        .alterTable("auth_keys")
        .addColumn("workspace", "text", (column) => column.notNull().defaultTo("default"))
        .execute();
      await db.schema
        .alterTable("auth_keys")
        .addColumn("created", "bigint", (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema.alterTable("auth_keys").addColumn("made_by", "text").execute();
    },
  },
};
