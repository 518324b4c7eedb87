/**
 * Who may open a connection now, and when the others may come back (PROTOCOL.md section 10, CL-4).
 *
 * Life cycle of an opening: its `hello` is asked for → it begins, waits with a due slot, or is refused → it is
 * verified, and its principal pays for it → welcomed, or refused after all → ended. Invariants: whatever is refused
 * is told when it may come back, by one law, with a slot that any node of the deployment honours; an opening that
 * comes before its slot costs nothing but the reading of it. It knows no sockets and no messages.
 */
import { type Clock, closeCodes, type Random } from "@holdfast/protocol";
import type { AdmissionLimits } from "./limits.ts";
import { createOpeningBuckets } from "./openingBuckets.ts";
import { createOpeningGate } from "./openingGate.ts";
import { createRetryLaw } from "./retryLaw.ts";
import { createSlots } from "./slots.ts";

const keyBytes = 32;
/** `spread` is told in steps: what is smaller changes no client's delay (CL-3). */
const spreadStepMs = 100;

/** When who is refused may come back (CL-4). */
export interface Return {
  /** ms */
  readonly retryAfter: number;
  readonly slot: string;
}

export interface OpeningRefusal extends Return {
  readonly code: typeof closeCodes.tooMany | typeof closeCodes.unavailable;
  readonly reason: string;
}

/** An opening that was let in, or waits for its turn. */
export interface Opening {
  /** It got to `welcome`. */
  welcomed(): void;
  /** It ended, whichever way. Idempotent; after `welcomed` it does nothing. */
  end(): void;
}

export interface Admission {
  /** `begin` is called once, at most: before this returns, or later. */
  ask(asked: {
    readonly address: string;
    readonly slot: string | undefined;
    readonly begin: () => void;
  }): Opening | OpeningRefusal;
  /** AD-1: the opening costs the principal a token; the refusal where there is none. */
  charge(principal: string): OpeningRefusal | undefined;
  /** The same without the cost: for whom the store does not know yet. */
  wouldRefuse(principal: string): OpeningRefusal | undefined;
  /** The principal holds so many connections now. */
  holds(principal: string, connections: number): void;
  lost(principal: string, livedMs: number): void;
  /** CL-4: for every refusal of a connection that has no time of its own. `leastMs` comes on top. */
  promise(leastMs?: number): Return;
  /**
   * ms after which a socket that found no place may try again. It takes no place: its refusal carries no slot, and a
   * browser does not even read it, so that a place kept for it would only move the others' away.
   */
  placeInMs(): number;
  /** CL-3: ms over which so many connections spread their return. */
  spread(connections: number): number;
  /** Whether a socket would find no place at all: its upgrade is refused with 503. */
  isFull(unwelcomed: number): boolean;
  /** Openings that came before their time, and were told again (`retry_ignored_total`). */
  readonly retriesIgnored: number;
  /** Openings between their `hello` and their `welcome`. */
  readonly underWay: number;
  /** Principals and addresses whose openings are counted. */
  readonly buckets: number;
  /** Drops what nothing depends on any more (AD-1). To be called about once a second. */
  tidy(): void;
  stop(): void;
}

export interface AdmissionOptions {
  readonly limits: AdmissionLimits;
  readonly clock: Clock;
  readonly random: Random;
  /** Secret of the deployment; absent: of this node alone. */
  readonly key?: Uint8Array;
}

const crowdedReason = "too many openings; come back when it is your turn";

export function createAdmission({ limits, clock, random, key }: AdmissionOptions): Admission {
  const buckets = createOpeningBuckets(limits);
  const slots = createSlots(key ?? random.bytes(keyBytes));
  const law = createRetryLaw(limits.openingsPerSecond);
  const gate = createOpeningGate(clock, {
    perSecond: limits.openingsPerSecond,
    underWayMax: limits.openingsUnderWayMax,
    waitingMax: limits.openingsWaitingMax,
  });
  const socketsMax = limits.socketsWithoutHelloMax + limits.openingsWaitingMax + limits.openingsUnderWayMax;
  let retriesIgnored = 0;

  const returnAfter = (retryAfter: number): Return => ({ retryAfter, slot: slots.sign(clock.now() + retryAfter) });
  const promise = (leastMs = 0): Return => returnAfter(law.next(clock.monotonic(), leastMs));
  const tooMany = (retryAfterMs: number, reason: string): OpeningRefusal => ({
    code: closeCodes.tooMany,
    reason,
    ...returnAfter(retryAfterMs),
  });

  const charge = (principal: string): OpeningRefusal | undefined => {
    const taken = buckets.takeOfPrincipal(principal, clock.monotonic());
    return taken.kind === "taken" ? undefined : tooMany(taken.retryAfterMs, "too many openings of this user");
  };

  return {
    ask({ address, slot, begin }) {
      const reading = slots.read(slot, clock.now());
      if (reading.kind === "early" && slot !== undefined) {
        retriesIgnored += 1;
        return { code: closeCodes.unavailable, reason: "before its time", retryAfter: reading.retryAfterMs, slot };
      }
      if (!buckets.hasOfAddress(address, clock.monotonic())) {
        const taken = buckets.takeOfAddress(address, clock.monotonic());
        if (taken.kind === "empty") return tooMany(taken.retryAfterMs, "too many openings from this address");
      }
      const isDue = reading.kind === "due";
      let state: "waiting" | "begun" | "ended" = "waiting";
      const ticket = {
        begin: () => {
          state = "begun";
          buckets.chargeAddress(address, clock.monotonic());
          if (slot !== undefined && isDue) slots.spend(slot);
          // A newcomer takes a place that would else be promised to the next who is refused.
          else law.next(clock.monotonic());
          begin();
        },
      };
      const end = (): void => {
        if (state === "ended") return;
        state = "ended";
        gate.end(ticket);
      };
      if (gate.ask(ticket, isDue) === "refused")
        return { code: closeCodes.unavailable, reason: crowdedReason, ...promise() };
      return {
        welcomed() {
          if (state === "begun") buckets.giveToAddress(address, clock.monotonic());
          end();
        },
        end,
      };
    },
    charge,
    wouldRefuse: (principal) => (buckets.hasOfPrincipal(principal, clock.monotonic()) ? undefined : charge(principal)),
    holds: (principal, connections) => buckets.principalHolds(principal, connections, clock.monotonic()),
    lost: (principal, livedMs) => buckets.principalLost(principal, livedMs, clock.monotonic()),
    promise,
    placeInMs: () => law.peek(clock.monotonic()),
    spread: (connections) =>
      Math.round(((connections / limits.openingsPerSecond) * 1_000) / spreadStepMs) * spreadStepMs,
    isFull: (unwelcomed) => unwelcomed >= socketsMax || gate.isFull,
    get retriesIgnored() {
      return retriesIgnored;
    },
    get underWay() {
      return gate.size;
    },
    get buckets() {
      return buckets.size;
    },
    tidy: () => buckets.dropIdle(clock.monotonic()),
    stop: () => gate.stop(),
  };
}

/** Which of the two `ask` gave. */
export function isRefusal(answer: Opening | OpeningRefusal): answer is OpeningRefusal {
  return "code" in answer;
}
