/** What the Holdfast server is told of a person: a token for five minutes, signed with the secret that both know. */
import { createHmac } from "node:crypto";

const tokenSeconds = 300;

/** A JSON Web Token (HS256). The session asks for the next one by itself before it ends. */
export function tokenFor(name: string, secret: string): string {
  const claims = { iss: "assistant-example", sub: name, name, exp: Math.floor(Date.now() / 1_000) + tokenSeconds };
  const parts = [{ alg: "HS256", typ: "JWT" }, claims];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
