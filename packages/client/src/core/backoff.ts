/**
 * When to come back (CL-3, CL-5).
 *
 * Full jitter, drawn after the cap: clamping a drawn value is no jitter at all. Invariant: whatever the
 * server does, more than five failures in a row are at least 15 s apart. It deliberately knows no state:
 * who counts failures, and when the count returns to 0, is the connection's.
 */
import { limits, type Random } from "@holdfast/protocol";
import { tokenQuestionsSoon } from "./limits.ts";

/** How many failures came before, what the server asked for (ms), and how many ms of clients it holds. */
export interface Loss {
  readonly failures: number;
  readonly retryAfter: number | undefined;
  readonly spreadMs: number;
}

/** ms from the moment the loss is known to the next attempt. `retryAfter` is a floor (CL-4). */
export function delayAfterLoss(loss: Loss, random: Random): number {
  if (loss.failures >= limits.failuresBeforeSlow) return Math.max(loss.retryAfter ?? 0, slowDelay(random));
  if (loss.retryAfter !== undefined) return loss.retryAfter;
  if (loss.failures === 0)
    return random.fraction() * Math.max(limits.backoffBaseMs, Math.min(limits.retryAfterMsMax, loss.spreadMs));
  return jittered(loss.failures, random);
}

/** Full jitter over min(30 s, 1 s · 2ⁿ). */
export function jittered(failures: number, random: Random): number {
  return random.fraction() * Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** failures);
}

/**
 * CL-7: ms to the next question for a token, after so many in vain: thrice soon, then 45 to 51 s, so that it is at most
 * ten in 5 minutes, and a minute after the issuer's return everybody has asked again.
 */
export function tokenDelay(failures: number, random: Random): number {
  return failures < tokenQuestionsSoon
    ? jittered(failures, random)
    : limits.backoffCapMs * (1.5 + random.fraction() / 5);
}

/** 30 s ± 50 %: after five failures, and for probes while the platform says `offline`. */
export function slowDelay(random: Random): number {
  return limits.backoffCapMs * (0.5 + random.fraction());
}
