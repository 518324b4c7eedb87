/**
 * A model's API key, closed for the one machine that uses it.
 *
 * The server that stores it cannot read it: it is encrypted to the public key of the assistants' process (X25519, HKDF-SHA-256,
 * AES-256-GCM), whose private key lies in that process's folder and nowhere else. A copy of the database, a backup included, is
 * worth nothing to whoever reads it. `context` is bound to it: sealed for one assistant and origin, it opens for no other, so
 * nobody can have a key sent elsewhere by changing an address. Pure but for the platform's cryptography.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from "node:crypto";

/** RFC 8410: what precedes the 32 bytes of an X25519 key in PKCS #8 and in SubjectPublicKeyInfo. */
const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicPrefix = Buffer.from("302a300506032b656e032100", "hex");
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const purpose = "holdfast model key 1";

/** The public key of 32 secret bytes, base64url. */
export function publicKeyOf(secret: Uint8Array): string {
  return rawPublic(secret).toString("base64url");
}

/** Whether this can be sealed for. */
export function isPublicKey(text: string): boolean {
  return Buffer.from(text, "base64url").length === keyBytes;
}

/** `randomBytes`: unguessable ones. */
export function sealKey(
  key: string,
  publicKey: string,
  context: string,
  randomBytes: (count: number) => Uint8Array,
): string {
  const ephemeral = randomBytes(keyBytes);
  const nonce = randomBytes(nonceBytes);
  const theirs = Buffer.from(publicKey, "base64url");
  const ours = rawPublic(ephemeral);
  const cipher = createCipheriv("aes-256-gcm", sharedKey(ephemeral, theirs, ours, theirs), nonce);
  cipher.setAAD(Buffer.from(context));
  const closed = Buffer.concat([cipher.update(key, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([ours, nonce, closed]).toString("base64url");
}

/** Throws where it was sealed for another machine, assistant or origin, or was changed. */
export function openKey(sealed: string, secret: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  const theirs = bytes.subarray(0, keyBytes);
  const nonce = bytes.subarray(keyBytes, keyBytes + nonceBytes);
  const closed = bytes.subarray(keyBytes + nonceBytes, -tagBytes);
  const decipher = createDecipheriv("aes-256-gcm", sharedKey(secret, theirs, theirs, rawPublic(secret)), nonce);
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(closed), decipher.final()]).toString("utf8");
}

/** What a key is bound to: the assistant that may use it, and where it may be sent. */
export function keyContext(assistant: string, endpoint: string): string {
  return `${assistant}\n${new URL(endpoint).origin}`;
}

function sharedKey(secret: Uint8Array, theirs: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Buffer {
  const publicKey = createPublicKey({ key: Buffer.concat([publicPrefix, theirs]), format: "der", type: "spki" });
  const shared = diffieHellman({ privateKey: privateKeyOf(secret), publicKey });
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(hkdfSync("sha256", shared, salt, purpose, keyBytes));
}

function privateKeyOf(secret: Uint8Array) {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, secret]), format: "der", type: "pkcs8" });
}

function rawPublic(secret: Uint8Array): Buffer {
  const der = createPublicKey(privateKeyOf(secret)).export({ format: "der", type: "spki" });
  return der.subarray(-keyBytes);
}
