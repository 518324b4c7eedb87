/**
 * Promised slots: a due time, signed, so that any node of the deployment honours it, also one that restarted (AD-3).
 *
 * Life cycle: promised with a refusal → early until its time → due for {@link honouredMs} → void. A slot that has
 * begun an opening is spent and void too, as far as this node remembers ({@link spentMax}). Invariant: what is not
 * signed with the deployment's key counts as no slot at all, and nothing is told of why; nor does one that is due later
 * than any is promised for, since a clock was set between: who holds it would be sent away for as long. Pure: times are
 * passed in, ms since 1970, since a slot outlives the process that made it.
 */
import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { limits } from "@holdfast/protocol";

/** AD-3 */
export const honouredMs = 30_000;
/** A client's clock and timers may run so much ahead; earlier is early. */
const earlyMsMax = 250;
const { retryAfterMsMax } = limits;
const signatureBytes = 16;
const spentMax = 50_000;

export type SlotReading =
  | { readonly kind: "none" }
  /** Its time has not come: told again, with no work done (CL-4). */
  | { readonly kind: "early"; readonly retryAfterMs: number }
  | { readonly kind: "due" };

export interface Slots {
  /** The text of a slot that is due then. */
  sign(dueAt: number): string;
  read(slot: string | undefined, now: number): SlotReading;
  /** An opening began with it. */
  spend(slot: string): void;
}

/** @param key secret of the deployment, the same on all its nodes */
export function createSlots(key: Uint8Array): Slots {
  /** In the order of spending. */
  const spent = new Set<string>();
  let signed = 0;
  // Made once: of a key in bytes it is made anew for each slot, which is most of what a refusal costs.
  const secret = createSecretKey(key);

  const signatureOf = (claim: string): Buffer =>
    createHmac("sha256", secret).update(claim).digest().subarray(0, signatureBytes);

  const dueOf = (slot: string): number | undefined => {
    const [, claim, due, signature] = /^((\w+)\.\w+)\.([\w-]+)$/.exec(slot) ?? [];
    if (claim === undefined || due === undefined || signature === undefined) return undefined;
    const given = Buffer.from(signature, "base64url");
    if (given.length !== signatureBytes || !timingSafeEqual(given, signatureOf(claim))) return undefined;
    return Number.parseInt(due, 36);
  };

  return {
    sign(dueAt) {
      // The count tells apart what is due in one millisecond: each is spent by itself.
      signed += 1;
      const claim = `${Math.ceil(dueAt).toString(36)}.${signed.toString(36)}`;
      return `${claim}.${signatureOf(claim).toString("base64url")}`;
    },
    read(slot, now) {
      const dueAt = slot === undefined || spent.has(slot) ? undefined : dueOf(slot);
      if (dueAt === undefined || now > dueAt + honouredMs || dueAt - now > retryAfterMsMax) return { kind: "none" };
      return now < dueAt - earlyMsMax ? { kind: "early", retryAfterMs: dueAt - now } : { kind: "due" };
    },
    spend(slot) {
      spent.add(slot);
      const [oldest] = spent;
      if (spent.size > spentMax && oldest !== undefined) spent.delete(oldest);
    },
  };
}
