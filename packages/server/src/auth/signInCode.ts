/**
 * A sign-in code: what stands in a link behind the `#`, works once, and is stored as its hash only.
 *
 * Life cycle: made → kept until its end, or until newer ones of the same person push it out → taken, which deletes it.
 * Invariant: outstanding codes of one person are bounded. The rows are written in the caller's transaction.
 */
import { createHash } from "node:crypto";
import type { Random } from "@holdfast/protocol";
import type { Transaction } from "../plugin.ts";
import type { AuthTables } from "./schema.ts";

const codeBytes = 16;

export interface SignInCode {
  readonly code: string;
  readonly hash: string;
}

export function newSignInCode(random: Pick<Random, "bytes">): SignInCode {
  const code = Buffer.from(random.bytes(codeBytes)).toString("base64url");
  return { code, hash: hashOfCode(code) };
}

export function hashOfCode(code: string): string {
  return createHash("sha256").update(code).digest("base64url");
}

export interface KeptCode {
  readonly hash: string;
  readonly user: string;
  readonly lifeMs: number;
  /** Of this person, the new one included; the oldest give way. */
  readonly codesMax: number;
}

/** Keeps a code for a person; its end, ms since 1970. */
export async function keepCode(
  { db, now }: Pick<Transaction<AuthTables>, "db" | "now">,
  { hash, user, lifeMs, codesMax }: KeptCode,
): Promise<number> {
  await db.deleteFrom("auth_sign_in_codes").where("expires", "<=", now).execute();
  const older = await db
    .selectFrom("auth_sign_in_codes")
    .select("hash")
    .where("user", "=", user)
    .orderBy("created")
    .orderBy("hash")
    .execute();
  const surplus = older.slice(0, Math.max(0, older.length + 1 - codesMax)).map((row) => row.hash);
  if (surplus.length > 0) await db.deleteFrom("auth_sign_in_codes").where("hash", "in", surplus).execute();
  const expires = now + lifeMs;
  await db.insertInto("auth_sign_in_codes").values({ hash, user, created: now, expires }).execute();
  return expires;
}
