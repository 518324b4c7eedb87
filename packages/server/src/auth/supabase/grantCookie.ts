/**
 * The refresh token of a project, as the browser keeps it: encrypted by the deployment, in a cookie that no script reads.
 *
 * So the server keeps nothing, any node can renew, and no storage of the browser has a token that anybody could use (O8).
 * What is not ours, or was changed, is nothing. Pure but for the initialisation vector, which is passed in.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "@holdfast/protocol";

export const grantKeyPurpose = "holdfast refresh tokens of a project";
const algorithm = "aes-256-gcm";
const vectorBytes = 12;
const tagBytes = 16;
/** A cookie's most, with room for its name and attributes. */
const grantCharsMax = 3_500;

/** @param key 32 bytes */
export function sealGrant(refreshToken: string, key: Uint8Array, random: Pick<Random, "bytes">): string {
  const vector = random.bytes(vectorBytes);
  const cipher = createCipheriv(algorithm, key, vector);
  const text = Buffer.concat([cipher.update(refreshToken, "utf8"), cipher.final()]);
  return Buffer.concat([vector, cipher.getAuthTag(), text]).toString("base64url");
}

export function openGrant(sealed: string | undefined, key: Uint8Array): string | undefined {
  if (sealed === undefined || sealed.length > grantCharsMax) return undefined;
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length <= vectorBytes + tagBytes) return undefined;
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, vectorBytes));
    decipher.setAuthTag(bytes.subarray(vectorBytes, vectorBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(vectorBytes + tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
