/**
 * The deployment's signing keys in the store: read by every node at its start, and followed by a newer one in time.
 *
 * Invariants: of several nodes that make one at once, the first one's counts and all read that; a key is known before it
 * signs, and leaves only when nothing that it signed holds any more; the first one never leaves.
 */
import type { Transaction } from "../plugin.ts";
import type { AuthTables } from "./schema.ts";
import { type NewSigningKey, type Signer, signerOf } from "./signingKey.ts";

/** Of the first one, which is the root of other secrets too. */
const rootSlot = "current";

export interface SigningKeyRow extends NewSigningKey {
  /** ms since 1970. */
  readonly made: number;
  /** It signs from then on, ms since 1970. */
  readonly signsFrom: number;
  /** Nothing that it signed holds any more, ms since 1970; null as long as no other follows it. */
  readonly endsAt: number | null;
  readonly isRoot: boolean;
}

export interface SigningKeyWork {
  /** All of them; `candidate` becomes the first where there is none. */
  "auth.signingKeys": { input: { candidate: NewSigningKey | null }; output: SigningKeyRow[] };
  /** `candidate` signs in `knownBeforeMs`, unless another one has followed `after`. What was signed may hold for `heldMs`. */
  "auth.rotateSigningKey": {
    input: { candidate: NewSigningKey; after: string; knownBeforeMs: number; heldMs: number };
    output: SigningKeyRow[];
  };
}

type AuthTransaction = Transaction<AuthTables>;

export const signingKeyWork: {
  readonly [Name in keyof SigningKeyWork]: (
    tx: AuthTransaction,
    input: SigningKeyWork[Name]["input"],
  ) => Promise<SigningKeyWork[Name]["output"]>;
} = {
  "auth.signingKeys": async ({ db, now }, { candidate }) => {
    if (candidate !== null) {
      await db
        .insertInto("auth_signing_keys")
        .values({ slot: rootSlot, ...candidate, made: now, signs_from: 0, ends: null })
        .onConflict((conflict) => conflict.column("slot").doNothing())
        .execute();
      // Of a program that did not note it: its age counts from now on.
      await db.updateTable("auth_signing_keys").set({ made: now }).where("made", "=", 0).execute();
    }
    return allOf(db);
  },

  "auth.rotateSigningKey": async ({ db, now, tellNodes }, { candidate, after, knownBeforeMs, heldMs }) => {
    const [newest] = await allOf(db);
    if (newest?.id !== after) return allOf(db);
    const signsFrom = now + knownBeforeMs;
    await db.deleteFrom("auth_signing_keys").where("slot", "!=", rootSlot).where("ends", "<=", now).execute();
    await db
      .updateTable("auth_signing_keys")
      .set({ ends: signsFrom + heldMs })
      .where("ends", "is", null)
      .execute();
    await db
      .insertInto("auth_signing_keys")
      .values({ slot: `key ${candidate.id}`, ...candidate, made: now, signs_from: signsFrom, ends: null })
      .execute();
    tellNodes({ kind: "signingKeysChanged" });
    return allOf(db);
  },
};

/** The one that signs now, for what is signed in a transaction. */
export async function signingKeyNow({ db, now }: Pick<AuthTransaction, "db" | "now">): Promise<Signer> {
  const keys = await allOf(db);
  const key = keys.find(({ signsFrom }) => signsFrom <= now);
  if (key === undefined) throw new TypeError("the store has no signing key");
  return signerOf(key);
}

/** The newest first. */
async function allOf(db: Pick<AuthTransaction, "db">["db"]): Promise<SigningKeyRow[]> {
  const rows = await db.selectFrom("auth_signing_keys").selectAll().orderBy("signs_from", "desc").execute();
  return rows.map(({ slot, id, jwk, made, signs_from, ends }) => ({
    id,
    jwk,
    made: Number(made),
    signsFrom: Number(signs_from),
    endsAt: ends === null ? null : Number(ends),
    isRoot: slot === rootSlot,
  }));
}
