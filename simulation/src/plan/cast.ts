/** Who is in a run: people and agents as they were drawn, as plain data. What they do is in the steps. */
import type { Person } from "../world/issuer.ts";

export interface PersonPlan {
  readonly name: string;
  /** A page asks, a program publishes. */
  readonly kind: "page" | "program";
  /** A page that is a tab of this browser, and shares its socket and its user with the other tabs. */
  readonly browser?: string;
  readonly workspace: string;
  readonly role: Person["role"];
  /** Streams that its page reads, each from where. */
  readonly reads: readonly { readonly stream: string; readonly from: "start" | "latest" }[];
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly skewMs: number;
  readonly tokenLifeMs: number;
  readonly hasOpaqueToken: boolean;
  /** It stores what it has read with its cursor, and goes on from there when it is loaded anew (ST-6). */
  readonly keeps?: boolean;
  /** In which part of its calls a handler throws, before it has applied anything. */
  readonly stumbles?: number;
  /** In which part of a log's events it cannot apply at all, and says so (ST-6: skip). */
  readonly chokes?: number;
}

export interface AgentPlan {
  readonly name: string;
  readonly workspace: string;
  readonly latencyMs: number;
  readonly jitterMs: number;
}

/** Where a crash is to strike: before its next claim leaves, or after the claim was accepted and before any effect. */
export type ClaimTrap = "beforeClaim" | "afterClaim";
