/**
 * What a client is told that it may use: `welcome.features`, for each person by themselves.
 *
 * Invariant: every name has a default here, which counts wherever no flag says otherwise, so a server without flags and
 * one whose flags cannot be evaluated are the same. Names are promises to pages that are open for weeks: one that goes
 * leaves its default behind.
 */
import type { Principal } from "../plugin.ts";

export interface Features {
  /** ST-12: whether this reader's missed events are joined while it catches up. */
  readonly rollUp: boolean;
  /** Whether all tabs of a browser share one connection. Only pages honour it. */
  readonly tabSharing: boolean;
}

export const defaultFeatures: Features = { rollUp: true, tabSharing: true };

export interface FeatureFlags {
  /** At once, or within a bound; never rejects. */
  of(principal: Principal): Features | Promise<Features>;
  stop(): void;
}

/** Where nothing is configured. */
export const withoutFlags: FeatureFlags = { of: () => defaultFeatures, stop: () => {} };
