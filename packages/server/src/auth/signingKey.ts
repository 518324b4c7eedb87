/** A key that signs sessions and API keys: Ed25519, named by its own fingerprint. */
import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import type { Random } from "@holdfast/protocol";
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from "jose";

export const algorithm = "EdDSA";
/** RFC 8410: what precedes the 32 secret bytes of an Ed25519 key in PKCS #8. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const secretBytes = 32;

export interface NewSigningKey {
  readonly id: string;
  /** The private key as JSON Web Key text. */
  readonly jwk: string;
}

/** A new private key and its id (RFC 7638), from random bytes. */
export async function makeSigningKey(random: Pick<Random, "bytes">): Promise<NewSigningKey> {
  const secret = Buffer.concat([pkcs8Prefix, random.bytes(secretBytes)]);
  const jwk = createPrivateKey({ key: secret, format: "der", type: "pkcs8" }).export({ format: "jwk" }) as JWK;
  return { id: await calculateJwkThumbprint(jwk), jwk: JSON.stringify(jwk) };
}

/** Ready to sign. */
export interface Signer {
  readonly id: string;
  readonly privateKey: KeyObject;
}

export function signerOf({ id, jwk }: NewSigningKey): Signer {
  const key = JSON.parse(jwk) as JsonWebKey;
  if (key.d === undefined) throw new TypeError(`the signing key ${id} has no private part`);
  return { id, privateKey: createPrivateKey({ key, format: "jwk" }) };
}

/** The key to judge by. */
export async function publicKeyOf({ jwk }: NewSigningKey): Promise<CryptoKey | Uint8Array> {
  const { d: _, ...publicPart } = JSON.parse(jwk) as JWK;
  return importJWK(publicPart, algorithm);
}

/** A compact JWS, at once: a transaction waits for nothing outside of it (RQ-2). */
export function signedBy({ id, privateKey }: Signer, payload: object): string {
  const text = [{ alg: algorithm, kid: id }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
}
