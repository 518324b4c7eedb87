/**
 * What a browser keeps between "sign in" and the provider's answer: a signed cookie, so that the server keeps nothing.
 *
 * It binds the answer to the browser that asked (AU-5): `state` comes back by the address, `nonce` in the token, and the
 * `verifier` is what the code is worth nothing without. Invariants: it is signed with the deployment's own secret, so
 * any node can take it; it holds for {@link ticketLifeMs}, for one provider. Pure.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

export const ticketLifeMs = 10 * 60_000;
/** A cookie's most, with room for its name and attributes. */
const ticketCharsMax = 3_500;

const shape = z.object({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** The page to open afterwards: a path of ours. */
  returnTo: z.string(),
  /** ms since 1970 */
  expiresAt: z.number(),
});

export type Ticket = z.infer<typeof shape>;

export function sealTicket(ticket: Ticket, key: Uint8Array): string {
  const text = Buffer.from(JSON.stringify(ticket)).toString("base64url");
  return `${text}.${macOf(text, key).toString("base64url")}`;
}

/** Undefined where it is none of ours, or over. */
export function openTicket(sealed: string | undefined, key: Uint8Array, nowMs: number): Ticket | undefined {
  const [text = "", mac = "", ...more] = (sealed ?? "").slice(0, ticketCharsMax + 1).split(".");
  if (sealed === undefined || sealed.length > ticketCharsMax || more.length > 0) return undefined;
  const [right, stated] = [macOf(text, key), Buffer.from(mac, "base64url")];
  if (right.length !== stated.length || !timingSafeEqual(right, stated)) return undefined;
  const ticket = shape.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  return ticket.expiresAt > nowMs ? ticket : undefined;
}

function macOf(text: string, key: Uint8Array): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
