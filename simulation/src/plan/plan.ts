/**
 * What one run does, as data: who is there, what they do when, and what goes wrong when.
 *
 * A seed is drawn into a plan, and only plans are run: so a plan can be shortened, kept and read. What it does not
 * say (the jitter of one packet) is drawn while it runs, from the seed and the names of things, so that a shorter
 * plan runs on as the longer one did. Invariant: a plan survives JSON.
 */
import type { AgentPlan, ClaimTrap, PersonPlan } from "./cast.ts";

/** What was under way when the faults ended ends too: an opening that nobody answered, a node's start that hung. */
export const settleMs = 20_000;

export interface Plan {
  readonly seed: number;
  /** Under faults; then it heals. */
  readonly durationMs: number;
  readonly nodes: readonly { readonly name: string; readonly skewMs: number }[];
  /** The database is a process of its own: it finishes what a killed node had sent. */
  readonly isDatabaseSeparate: boolean;
  readonly storeLatencyMs: number;
  /** How long events of logs are kept; the default where absent. */
  readonly recordsMs?: number;
  /** The same of threads. */
  readonly workMs?: number;
  /** AD-5, of each connection; the defaults where absent. */
  readonly messages?: { readonly perSecond: number; readonly burst: number };
  readonly bus: { readonly loss: number; readonly duplication: number; readonly delayMs: number };
  /** Logs that exist, in every workspace. */
  readonly logs: readonly string[];
  readonly workspaces: readonly string[];
  readonly people: readonly PersonPlan[];
  readonly agents: readonly AgentPlan[];
  /** In the order of time. */
  readonly steps: readonly Step[];
}

export type Step = { readonly at: number } & (Doing | Fault);

/** What people do. */
export type Doing =
  | {
      readonly kind: "publish";
      readonly who: string;
      readonly stream: string;
      readonly count: number;
      /** Which of them is poison, from 0. */
      readonly poisonAt?: number;
      /** What each of them carries besides. */
      readonly padBytes?: number;
    }
  | {
      readonly kind: "request";
      readonly who: string;
      readonly method: "board.add" | "board.refuse" | "board.break";
      readonly lane?: string;
      readonly isDurable?: boolean;
    }
  | { readonly kind: "count"; readonly who: string }
  | { readonly kind: "signal"; readonly who: string; readonly stream: string }
  | { readonly kind: "read"; readonly who: string; readonly stream: string; readonly from: "start" | "latest" }
  /** Opens its newest threads from their beginnings, as one who looks at what was done before. */
  | { readonly kind: "lookBack"; readonly who: string }
  | { readonly kind: "reconnect"; readonly who: string }
  /** Asks an agent of the own workspace to do something, and watches it. */
  | { readonly kind: "command"; readonly who: string; readonly agent: string }
  | { readonly kind: "hint"; readonly who: string; readonly hint: "online" | "offline" | "visible" | "hidden" };

/** What goes wrong. */
export type Fault =
  | { readonly kind: "cut"; readonly who: string; readonly seenBy: "both" | "client" | "server" | "nobody" }
  | { readonly kind: "shut"; readonly who: string; readonly ways: "up" | "down" | "both"; readonly ms: number }
  | { readonly kind: "slow"; readonly who: string; readonly latencyMs: number; readonly ms: number }
  | { readonly kind: "narrow"; readonly who: string; readonly bytesPerMs: number; readonly ms: number }
  | { readonly kind: "stall"; readonly who: string; readonly ms: number }
  | { readonly kind: "unreachable"; readonly who: string; readonly ms: number }
  | {
      readonly kind: "crash";
      readonly node: string;
      readonly point: "now" | "before" | "between" | "answering";
      readonly downMs: number;
      readonly isSilent: boolean;
    }
  | { readonly kind: "stopServer"; readonly node: string; readonly ms: number }
  | { readonly kind: "drain"; readonly node: string; readonly downMs: number }
  | { readonly kind: "storeDown"; readonly ms: number }
  | { readonly kind: "storeSlow"; readonly latencyMs: number; readonly ms: number }
  | { readonly kind: "storeHang"; readonly ms: number }
  | { readonly kind: "diskFull"; readonly ms: number }
  /** `stream`: how the names of those begin that cannot be read. */
  | { readonly kind: "unreadable"; readonly stream: string; readonly ms: number }
  | { readonly kind: "unknownCommit"; readonly how: "done" | "late" }
  | { readonly kind: "busSilence"; readonly ms: number }
  | { readonly kind: "clockJump"; readonly who: string; readonly ms: number }
  | {
      readonly kind: "sleep";
      readonly who: string;
      readonly ms: number;
      readonly isCounted: boolean;
      /** Not now, but between its next ping and the answer. */
      readonly isAfterPing?: boolean;
    }
  | { readonly kind: "throttle"; readonly who: string; readonly everyMs: number; readonly ms: number }
  | { readonly kind: "issuerDown"; readonly ms: number }
  | { readonly kind: "rotateKey" }
  | { readonly kind: "revoke"; readonly who: string }
  /** Somebody else signs in at this page, of the same workspace or of another. */
  | { readonly kind: "newIdentity"; readonly who: string; readonly id: string; readonly workspace: string }
  | { readonly kind: "hostile"; readonly piece: number }
  | { readonly kind: "oldClient" }
  /** The tab that leads its browser is gone, and perhaps comes back. */
  | { readonly kind: "leaderDies"; readonly browser: string; readonly backMs: number }
  /** An image of the store is made, and later put back under new epochs, as `holdfast restore` does. */
  | { readonly kind: "backUp" }
  | { readonly kind: "restore" }
  /** The image takes the store's place as it is, as a replica does that was behind (ST-15). */
  | { readonly kind: "failOver" }
  | { readonly kind: "agentCrash"; readonly agent: string; readonly backMs: number; readonly isSilent: boolean }
  | { readonly kind: "claimTrap"; readonly agent: string; readonly trap: ClaimTrap }
  | { readonly kind: "twin"; readonly agent: string; readonly ms: number }
  | { readonly kind: "closePage"; readonly who: string; readonly backMs: number; readonly isSilent: boolean };
