/**
 * Whether this server runs the assistants, where several share a database: one does, and another when that has died.
 *
 * Life cycle: asks at once → again each {@link lookApartMs}, by which a holder's beat rises → another's that stood still for a
 * lease, while the store answered all the time, is taken → left with the server's clean stop. Invariant: `changed` is told the
 * first answer and each change after it, and nothing after `leave`. While nobody answers nothing changes: the agents of a
 * holder that was taken over from meanwhile are fenced (OP-7).
 */
import { createLeases, type Leases, leaseMs } from "@holdfast/control/leases";
import type { Clock, TimerHandle } from "@holdfast/protocol";

/** Three looks a lease. */
export const lookApartMs = leaseMs / 3;

export interface Standing {
  readonly holder: string | null;
  readonly beat: number;
}

export interface LeadWish {
  readonly holder: string;
  /** The standing of a holder that is dead. */
  readonly takes?: { readonly holder: string; readonly beat: number };
  readonly leaves?: boolean;
}

export interface LeadOptions {
  /** This server, under the same name after each start. */
  readonly holder: string;
  readonly clock: Pick<Clock, "monotonic" | "after" | "cancel">;
  /** Rejects where the store does not answer in time. */
  readonly ask: (wish: LeadWish) => Promise<Standing>;
  readonly changed: (leads: boolean) => void;
}

export interface Lead {
  /** Another may take it at once. Never rejects. */
  leave(): Promise<void>;
}

export function followLead({ holder, clock, ask, changed }: LeadOptions): Lead {
  const leases = createLeases(holder);
  let leads: boolean | undefined;
  let timer: TimerHandle | undefined;
  let hasLeft = false;

  const look = async (takes: LeadWish["takes"]): Promise<void> => {
    timer = undefined;
    const askedAt = clock.monotonic();
    const dead = await ask({ holder, ...(takes && { takes }) }).then(
      (standing) => {
        if (!hasLeft) tell(standing.holder === holder);
        return deadIn(leases, standing, askedAt, clock.monotonic());
      },
      () => void leases.broken(),
    );
    if (!hasLeft) timer = clock.after(dead === undefined ? lookApartMs : 0, () => void look(dead));
  };
  const tell = (now: boolean): void => {
    if (now === leads) return;
    leads = now;
    changed(now);
  };

  void look(undefined);
  return {
    async leave() {
      hasLeft = true;
      if (timer !== undefined) clock.cancel(timer);
      if (leads === true) await ask({ holder, leaves: true }).catch(() => {});
    },
  };
}

function deadIn(leases: Leases, { holder, beat }: Standing, askedAt: number, at: number): LeadWish["takes"] {
  const [dead] = leases.heard(holder === null ? [] : [{ node: holder, beat }], askedAt, at);
  return dead && { holder: dead.node, beat: dead.beat };
}
