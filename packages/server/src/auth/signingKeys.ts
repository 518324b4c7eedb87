/**
 * The deployment's signing keys: one signs, and those before it still judge what they have signed.
 *
 * Life cycle of a key: made where the newest is {@link SigningKeysOptions.keyLifeMs} old, by the node that signs next →
 * known to every node (by a notice, or since whoever meets its id asks the store) → signs {@link knownBeforeMs} later →
 * followed by the next one → judges for as long as anything that it signed may hold → gone. Invariants: nothing is refused
 * because the key was changed; an id that the store cannot be asked about is unknown, never wrong (AU-4); however many
 * ids are made up, the store is asked once in {@link askedApartMs}. The first key is kept: other secrets come from it, and
 * those must not change. It deliberately arms no timer: where nothing is signed, nothing is made.
 */
import { hkdfSync } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";
import type { CryptoKey, JWK } from "jose";
import { withinMs } from "../admission/deadline.ts";
import type { Log } from "../observe/log.ts";
import { makeSigningKey, type NewSigningKey, publicKeyOf, type Signer, signerOf } from "./signingKey.ts";
import type { SigningKeyRow } from "./signingKeyTasks.ts";

/** Before it signs: every node has heard of it by then (AU-9), however far its clock is off (AU-4). */
export const knownBeforeMs = 60_000;
export const askedApartMs = 1_000;
/** After a question that the store did not answer (AD-2). */
export const restMs = 5_000;
/** An opening has 5 s for its verdict (OP-1). */
const answerMsMax = 2_000;
/** After a key could not be made. */
const rotateAgainMs = 60_000;
const derivedKeyBytes = 32;

export interface SigningKey extends Signer {
  readonly publicKey: CryptoKey | Uint8Array;
}

export interface SigningKeys {
  /** The one that signs now. */
  current(): SigningKey;
  /** `none`: of another deployment, or long gone. `unknown`: the store does not say now. */
  find(id: string): Promise<SigningKey | "none" | "unknown">;
  /** Another node has made one. */
  changed(): void;
  /** A secret of this deployment for another purpose: the same on all its nodes and for ever, and of no use to sign. */
  deriveKey(purpose: string): Uint8Array;
}

export interface SigningKeysOptions {
  /** All keys, as they are in the store; `candidate` becomes the first where there is none. */
  readonly load: (candidate: NewSigningKey | null) => Promise<readonly SigningKeyRow[]>;
  /** The same, with `candidate` as the newest, unless another one came after `after` meanwhile. */
  readonly rotate: (candidate: NewSigningKey, after: string) => Promise<readonly SigningKeyRow[]>;
  /** How old the newest gets before it is followed, ms. */
  readonly keyLifeMs: number;
  readonly clock: Clock;
  readonly random: Pick<Random, "bytes">;
  readonly log: Log;
}

interface Held extends SigningKey, SigningKeyRow {}

/** Rejects where the store does not answer. */
export async function createSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { load, rotate, keyLifeMs, clock, random, log } = options;
  let keys: ReadonlyMap<string, Held> = new Map();
  let asking: Promise<boolean> | undefined;
  let askedUntil = Number.NEGATIVE_INFINITY;
  /** Whether the last question was answered. */
  let isKnown = true;
  let rotating = false;
  let rotateFrom = Number.NEGATIVE_INFINITY;

  const take = async (rows: readonly SigningKeyRow[]): Promise<void> => {
    const held = await Promise.all(rows.map(async (row) => ({ ...(keys.get(row.id) ?? (await read(row))), ...row })));
    keys = new Map(held.map((key) => [key.id, key]));
  };

  const learn = async (): Promise<boolean> => {
    try {
      const late = (): Error => new Error(`the store did not answer within ${answerMsMax} ms`);
      await take(await withinMs(clock, answerMsMax, load(null), late));
      isKnown = true;
    } catch (error) {
      log.debug("auth.signing_keys_unknown", { error });
      isKnown = false;
    }
    askedUntil = clock.monotonic() + (isKnown ? askedApartMs : restMs);
    asking = undefined;
    return isKnown;
  };

  /** Whether what is known is what the store has. */
  const ask = (): Promise<boolean> => {
    if (clock.monotonic() < askedUntil) return Promise.resolve(isKnown);
    // Begun in a later turn, so that even a question that fails at once is under way when it ends.
    asking ??= Promise.resolve().then(learn);
    return asking;
  };

  const follow = async (newest: Held): Promise<void> => {
    rotating = true;
    rotateFrom = clock.monotonic() + rotateAgainMs;
    try {
      const candidate = await makeSigningKey(random);
      await take(await rotate(candidate, newest.id));
      const made = keys.get(candidate.id);
      if (made !== undefined) log.info("auth.signing_key_made", { keyId: made.id, signsFrom: made.signsFrom });
    } catch (error) {
      log.warn("auth.signing_key_not_made", { error, meaning: "the one in use goes on; it is tried again" });
    }
    rotating = false;
  };

  await take(await load(await makeSigningKey(random)));
  const root = [...keys.values()].find(({ isRoot }) => isRoot);
  if (root === undefined) throw new TypeError("the store has no first signing key");
  const { d: rootSecret = "" } = JSON.parse(root.jwk) as JWK;

  return {
    current() {
      const inOrder = [...keys.values()].sort((one, other) => other.signsFrom - one.signsFrom);
      const [newest = root] = inOrder;
      const isDue = clock.now() - newest.made >= keyLifeMs && clock.monotonic() >= rotateFrom;
      if (isDue && !rotating) void follow(newest);
      return inOrder.find(({ signsFrom }) => signsFrom <= clock.now()) ?? newest;
    },
    async find(id) {
      const isAnswered = keys.has(id) || (await ask());
      const key = keys.get(id);
      if (key === undefined) return isAnswered ? "none" : "unknown";
      return key.endsAt !== null && key.endsAt <= clock.now() ? "none" : key;
    },
    changed() {
      askedUntil = Number.NEGATIVE_INFINITY;
      void ask();
    },
    deriveKey: (purpose) =>
      new Uint8Array(hkdfSync("sha256", Buffer.from(rootSecret, "base64url"), "", purpose, derivedKeyBytes)),
  };
}

async function read(row: SigningKeyRow): Promise<SigningKey> {
  return { ...signerOf(row), publicKey: await publicKeyOf(row) };
}
