/**
 * Whether a session or key that is validly signed was ended meanwhile: what the store is asked for (AU-3).
 *
 * Asked once per id and {@link keptMs}, whoever waits; bounded in entries. Invariants: a store that fails or
 * is slow never refuses anybody (AU-4, F05): the signature stands, the last known standing with it; after a
 * failure the store is left alone for {@link restMs}; what ended stays ended, whatever an older question
 * brings back.
 */
import type { Clock, Role } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import { type CredentialKind, credentialName } from "./verdict.ts";

/** AU-3 */
const keptMs = 60_000;
const entriesMax = 10_000;
/** Near its end a session is asked for each time: another node may have extended it (AU-7). */
const nearEndMs = 90_000;
/** An opening has 5 s for its verdict (OP-1). */
const answerMsMax = 2_000;
/** AD-2's interval between probes. */
const restMs = 5_000;

/** Name and role as they are now; a session's end too, ms since 1970. */
export interface LiveStanding extends Found {
  readonly kind: "live";
}

export interface Found {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt?: number;
}

export type Standing =
  | LiveStanding
  | { readonly kind: "ended" }
  /** Not to be learnt now: the signature decides alone. */
  | { readonly kind: "unknown" };

export interface Standings {
  of(kind: Exclude<CredentialKind, "user">, id: string): Promise<Standing>;
  /** A person's, where the question is more than an id. `ask`: null where the person may not come. */
  ofUser(id: string, ask: () => Promise<Found | null>): Promise<Standing>;
  /** The credential of this name has ended. */
  ended(credential: string): void;
  /** Roles may have changed: everything is asked for anew; what is known serves where the store does not answer. */
  doubt(): void;
  /** A session was extended here and now, by a transaction that was asked for at `askedAt` {@link doubts}. */
  extended(id: string, found: Found, askedAt?: number): void;
  /** How often {@link doubt} was called. */
  readonly doubts: number;
}

export interface StandingsOptions {
  /** null: ended. Rejects where the store does not answer. */
  readonly ask: (kind: Exclude<CredentialKind, "user">, id: string) => Promise<Found | null>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  readonly standing: Standing;
  readonly at: number;
  /** How often everything had been doubted when it was asked for. */
  readonly doubts: number;
}

export function createStandings({ ask, clock, log }: StandingsOptions): Standings {
  const entries = new Map<string, Entry>();
  const asking = new Map<string, Promise<Standing>>();
  let restUntil = Number.NEGATIVE_INFINITY;
  /** What was asked before is fresh no longer. */
  let doubts = 0;

  const keep = (key: string, standing: Standing, askedAt = doubts): Standing => {
    const known = entries.get(key)?.standing;
    // What an older question brings back: ended stays ended, and a session's end only moves on.
    if (known?.kind === "ended" || (standing.kind === "live" && isLater(known, standing))) return known ?? standing;
    entries.delete(key);
    entries.set(key, { standing, at: clock.monotonic(), doubts: askedAt });
    const [oldest] = entries.keys();
    if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    return standing;
  };

  const learn = async (key: string, question: () => Promise<Found | null>): Promise<Standing> => {
    const askedAt = doubts;
    try {
      const found = await within(clock, question());
      return keep(key, found === null ? { kind: "ended" } : { kind: "live", ...found }, askedAt);
    } catch (error) {
      restUntil = clock.monotonic() + restMs;
      // F04: the person is signed in all the same, and the store's own trouble is told by its breaker (AD-4).
      log.debug("auth.standing_unknown", { error });
      return entries.get(key)?.standing ?? { kind: "unknown" };
    } finally {
      if (askedAt === doubts) asking.delete(key);
    }
  };

  const isFresh = ({ standing, at, doubts: askedAt }: Entry, now: number): boolean => {
    if (standing.kind === "ended") return true;
    if (askedAt < doubts) return false;
    const isEnding =
      standing.kind === "live" && (standing.expiresAt ?? Number.POSITIVE_INFINITY) - clock.now() < nearEndMs;
    return now - at < keptMs && !isEnding;
  };

  const of = (key: string, question: () => Promise<Found | null>): Promise<Standing> => {
    const known = entries.get(key);
    const now = clock.monotonic();
    if (known !== undefined && isFresh(known, now)) return Promise.resolve(known.standing);
    if (now < restUntil) return Promise.resolve(known?.standing ?? { kind: "unknown" });
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    // Begun in a later turn, so that even a question that fails at once is taken out after it was put in.
    const asked = Promise.resolve().then(() => learn(key, question));
    asking.set(key, asked);
    return asked;
  };

  return {
    of: (kind, id) => of(credentialName(kind, id), () => ask(kind, id)),
    ofUser: (id, question) => of(credentialName("user", id), question),
    ended(credential) {
      keep(credential, { kind: "ended" });
    },
    get doubts() {
      return doubts;
    },
    doubt() {
      doubts += 1;
      // Questions that are under way may bring what held before.
      asking.clear();
    },
    extended(id, found, askedAt = doubts) {
      keep(credentialName("session", id), { kind: "live", ...found }, askedAt);
    },
  };
}

function isLater(known: Standing | undefined, next: LiveStanding): boolean {
  return known?.kind === "live" && (known.expiresAt ?? 0) > (next.expiresAt ?? 0);
}

/** The answer, or a rejection after {@link answerMsMax}; leaves no timer behind. */
function within<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(answerMsMax, () =>
      reject(new Error(`the store did not answer within ${answerMsMax} ms`)),
    );
    answer.then(resolve, reject).finally(() => clock.cancel(timer));
  });
}
