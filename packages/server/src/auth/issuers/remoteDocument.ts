/**
 * A document of a provider, kept: its key set, or its discovery.
 *
 * Life cycle: asked for at the first need, again once it is {@link freshMs} old, and at most once in
 * {@link newerEveryMs} because somebody needs a newer one. Whoever needs it meanwhile shares the one question under
 * way. Invariants: an answer that cannot be used never takes the place of one that could (T3); after a failure the
 * provider is left alone for {@link failureRestMs}, and the last good document serves for up to {@link staleMsMax};
 * an outage is one line of the log at its begin and one at its end, see `outageLines.ts`. It
 * deliberately arms no timer: nobody signs in, nobody asks.
 */
import type { Clock } from "@holdfast/protocol";
import type { Log } from "../../observe/log.ts";
import { createOutageLines } from "./outageLines.ts";
import { ProviderFailed } from "./provider.ts";

/** After it a key that was withdrawn is no key any more. */
export const freshMs = 10 * 60_000;
/** AU-4 */
export const newerEveryMs = 60_000;
export const failureRestMs = 10_000;
export const staleMsMax = 24 * 3_600_000;

/** Nothing usable is to be had now; `retryAfter` in ms. */
export class ProviderAway extends Error {
  override readonly name = "ProviderAway";
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super("the provider of the sign-in does not answer");
    this.retryAfter = retryAfter;
  }
}

export interface RemoteDocument<Value> {
  /** How many were had so far. */
  readonly edition: number;
  /** No older than {@link freshMs} while the provider answers. Throws {@link ProviderAway}. */
  current(): Promise<Value>;
  /**
   * A later one than that; a number where it is too soon to ask: the ms until it is not. Throws {@link ProviderAway}.
   */
  newerThan(edition: number): Promise<Value | number>;
}

export interface RemoteDocumentOptions<Value> {
  /** Throws {@link ProviderFailed} where the provider gives nothing that can be used. */
  readonly read: () => Promise<Value>;
  readonly clock: Clock;
  readonly log: Log;
  /** Names it in the log. */
  readonly about: Readonly<Record<string, string>>;
}

interface Kept<Value> {
  readonly value: Value;
  readonly at: number;
}

export function createRemoteDocument<Value>(options: RemoteDocumentOptions<Value>): RemoteDocument<Value> {
  const { read, clock } = options;
  let kept: Kept<Value> | undefined;
  let edition = 0;
  let underWay: Promise<Kept<Value> | undefined> | undefined;
  let restUntil = Number.NEGATIVE_INFINITY;
  let newerAskedAt = Number.NEGATIVE_INFINITY;
  const outage = createOutageLines(options);

  const ask = async (): Promise<Kept<Value> | undefined> => {
    try {
      kept = { value: await read(), at: clock.monotonic() };
      edition += 1;
      outage.answers();
      return kept;
    } catch (error) {
      // What it needs of another document may be away in its stead.
      if (!(error instanceof ProviderFailed || error instanceof ProviderAway)) throw error;
      restUntil = clock.monotonic() + failureRestMs;
      const meanwhile = kept === undefined ? "nobody new can sign in by it" : "what it answered before is used";
      outage.fails(error, meanwhile);
      return undefined;
    } finally {
      underWay = undefined;
    }
  };
  /** Undefined: it failed. */
  const asked = (): Promise<Kept<Value> | undefined> => {
    // Begun in a later turn, so that even what fails at once is under way when it ends.
    underWay ??= Promise.resolve().then(ask);
    return underWay;
  };
  const lastGood = (): Value => {
    const now = clock.monotonic();
    if (kept === undefined || now - kept.at >= staleMsMax) throw new ProviderAway(Math.max(1, restUntil - now));
    return kept.value;
  };

  return {
    get edition() {
      return edition;
    },
    async current() {
      const now = clock.monotonic();
      if (kept !== undefined && now - kept.at < freshMs) return kept.value;
      if (now >= restUntil) await asked();
      return lastGood();
    },
    async newerThan(known) {
      const now = clock.monotonic();
      if (kept !== undefined && edition > known) return kept.value;
      if (underWay === undefined) {
        const waitMs = Math.max(newerAskedAt + newerEveryMs, restUntil) - now;
        if (waitMs > 0) return waitMs;
        newerAskedAt = now;
      }
      const fetched = await asked();
      if (fetched === undefined) throw new ProviderAway(Math.max(1, restUntil - clock.monotonic()));
      return fetched.value;
    },
  };
}
