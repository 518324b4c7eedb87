/** How a key is made that signs sessions and API keys: Ed25519, named by its own fingerprint. */
import { createPrivateKey } from "node:crypto";
import type { Random } from "@holdfast/protocol";
import { calculateJwkThumbprint, type JWK } from "jose";

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
