/**
 * This node's own lease, where several nodes share the store: it beats, buries who has stopped, and takes back its agents.
 *
 * Life cycle: first beat at start → one with each look → late (it was stopped, or the store did not answer it) → renewed
 * at the head of its next batch, whatever that is for. Invariant: nothing that this node says of an agent becomes
 * durable beside a lease that may have ended, or the others would take the agents of a node that lives for nobody's
 * (F51, I5). A node that finds itself buried takes back all whom it holds, and tries until it could.
 */
import type { LeadingTask, PluginHost } from "@holdfast/server/plugin";
import { createLeases, leaseMs } from "./leases.ts";
import type { Beat } from "./nodeTasks.ts";
import type { PresentAgent } from "./presenceTasks.ts";

/** Looks are at most 5 s apart: who has not beaten for longer was kept from it, and is not buried yet. */
export const beatLateMs = leaseMs / 2;
/** Of all workspaces. */
const beatWorkspace = "default";

export interface Lease {
  /** One look: beats, buries who stood still, takes back what is its own. Of agents without a living node those not told before. */
  renew(): Promise<readonly PresentAgent[]>;
  /** A beat that is late goes before anything else. */
  leads(): LeadingTask | undefined;
  /** The store did not answer. */
  broken(): void;
}

export interface LeaseParts {
  readonly node: string;
  readonly clock: PluginHost["clock"];
  readonly run: PluginHost["run"];
  /** Agents with a living connection here. */
  readonly living: () => readonly PresentAgent[];
  /** Makes `online` again whom this node has held all along. */
  readonly reclaim: (node: string) => Promise<void>;
}

export function createLease({ node, clock, run, living, reclaim }: LeaseParts): Lease {
  const leases = createLeases(node);
  /** Agents without a living node that were told already, by their connection. */
  let told = new Set<string>();
  /** When the newest beat was asked for that the store has taken. */
  let beatenAt: number | undefined;
  let isBuried = false;

  const taken = ({ isNew }: Beat, askedAt: number): void => {
    if (isNew && beatenAt !== undefined) isBuried = true;
    beatenAt = askedAt;
  };
  const takeBack = async (): Promise<void> => {
    if (!isBuried) return;
    isBuried = false;
    await reclaim(node).catch((error: unknown) => {
      isBuried = true;
      throw error;
    });
  };

  return {
    async renew() {
      const askedAt = clock.monotonic();
      const beat = (await run("control.beat", { node }, beatWorkspace)) as Beat;
      taken(beat, askedAt);
      const dead = leases.heard(beat.nodes, askedAt, clock.monotonic());
      if (dead.length > 0) await run("control.bury", { nodes: dead }, beatWorkspace);
      await takeBack();
      const here = new Set(living().map(({ connection }) => connection));
      const orphans = beat.orphans.filter(({ connection }) => !here.has(connection));
      const untold = orphans.filter(({ connection }) => !told.has(connection));
      told = new Set(orphans.map(({ connection }) => connection));
      return untold;
    },
    leads() {
      const askedAt = clock.monotonic();
      if (beatenAt === undefined || askedAt - beatenAt < beatLateMs) return undefined;
      return {
        task: "control.beat",
        input: { node },
        workspace: beatWorkspace,
        done(value) {
          taken(value as Beat, askedAt);
          // Where the store does not take it, the next look tries again.
          void takeBack().catch(() => undefined);
        },
      };
    },
    broken: () => leases.broken(),
  };
}
