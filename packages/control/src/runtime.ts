/**
 * The control centre's part on the main thread: it turns ends of connections and the passing of time into
 * tasks of the store.
 *
 * Life cycle: started (agents that the store shows as there are `reconnecting`, F58; where other nodes share the
 * store, only those that no living node holds) → hears of connections →
 * stopped, with no timer left. Invariants: changes of presence go to the store one batch at a time, in order;
 * what the store could not take is made again by the core; an outage is two log lines, however many agents it
 * concerns (I9). Time comes from the host's clock only.
 */
import type { TimerHandle } from "@holdfast/protocol";
import type { PluginHost, PluginRuntime } from "@holdfast/server/plugin";
import { createLease } from "./lease.ts";
import { createPresence, storeRetryMs } from "./presence.ts";
import type { PresentAgent } from "./presenceTasks.ts";
import type { Due } from "./sweep.ts";

/** Changes in one transaction. */
const changesAtOnce = 200;
/** Between two looks for what is due: while something is, and while nothing can be for longer. */
export const sweepApartMs = 1_000;
export const sweepIdleMs = 5_000;
/** For tasks that look at all workspaces. */
const anyWorkspace = "default";

export function startRuntime(host: PluginHost): PluginRuntime {
  const presence = createPresence();
  const { clock } = host;
  const timer = createTimer(host);
  const outage = createOutage(host);
  let applying = false;
  let stopped = false;

  const run = async (task: string, input: unknown, workspace: string): Promise<unknown> => {
    const value = await host.run(task, input, workspace);
    outage.over();
    return value;
  };

  const lease =
    host.shared &&
    createLease({
      ...host.shared,
      clock,
      run,
      living: presence.living,
      reclaim: async (node) => {
        for (const agents of batches(presence.living()))
          await run("control.reclaim", { node, agents }, agents[0]?.workspace ?? anyWorkspace);
      },
    });

  /** Applies what is due, one batch after the other, and arms the timer for what comes next. */
  const applyDue = async (): Promise<void> => {
    if (applying || stopped) return;
    applying = true;
    for (let changes = presence.due(clock.monotonic()); changes.length > 0; changes = presence.due(clock.monotonic())) {
      for (const batch of batches(changes)) {
        try {
          await run("control.presence", { changes: batch }, batch[0]?.workspace ?? anyWorkspace);
        } catch (error) {
          if (stopped) return;
          outage.began(error);
          for (const change of batch) presence.failed(change, clock.monotonic());
        }
      }
    }
    applying = false;
    plan();
  };
  const plan = (): void => {
    const at = presence.nextAt();
    if (!stopped && !applying && at !== undefined) timer.presence.arm(at - clock.monotonic(), () => void applyDue());
  };

  /** Where several nodes share the store: which agents have no living node (F51, I5). */
  const renew = async (): Promise<void> => {
    if (lease === undefined) return;
    presence.restored(await lease.renew(), clock.monotonic(), true);
    plan();
  };

  const look = async (): Promise<void> => {
    let delayMs = storeRetryMs;
    try {
      await renew();
      const due = (await run("control.due", {}, anyWorkspace)) as Due;
      for (const workspace of due.workspaces) await run("control.sweep", {}, workspace);
      delayMs =
        due.workspaces.length > 0
          ? sweepApartMs
          : Math.min(sweepIdleMs, Math.max(sweepApartMs, due.inMs ?? sweepIdleMs));
    } catch (error) {
      lease?.broken();
      if (!stopped) outage.began(error);
    }
    if (!stopped) timer.sweep.arm(delayMs, () => void look());
  };

  return {
    ...(lease === undefined ? {} : { leads: lease.leads }),
    async started() {
      if (host.shared === undefined) {
        const present = (await host.run("control.present", {}, anyWorkspace)) as PresentAgent[];
        presence.restored(present, clock.monotonic(), false);
        await applyDue();
      } else await renew();
      await look();
    },
    agentConnected({ connection, ...agent }) {
      presence.connected(agent, connection);
    },
    agentDisconnected({ connection, polite, ...agent }) {
      if (stopped) return;
      presence.disconnected(agent, connection, polite, clock.monotonic());
      plan();
    },
    stopped() {
      stopped = true;
      timer.presence.cancel();
      timer.sweep.cancel();
    },
  };
}

/** Of one workspace each, in order, and bounded. */
function batches<Of extends { readonly workspace: string }>(changes: readonly Of[]): Of[][] {
  const found: Of[][] = [];
  for (const change of changes) {
    const last = found.findLast((batch) => batch[0]?.workspace === change.workspace);
    if (last === undefined || last.length >= changesAtOnce) found.push([change]);
    else last.push(change);
  }
  return found;
}

/** Two timers, each armed for one moment at most; arming again replaces. */
function createTimer({ clock }: PluginHost) {
  const single = () => {
    let handle: TimerHandle | undefined;
    const cancel = (): void => {
      if (handle !== undefined) clock.cancel(handle);
      handle = undefined;
    };
    const arm = (delayMs: number, then: () => void): void => {
      cancel();
      handle = clock.after(Math.max(0, delayMs), () => {
        handle = undefined;
        then();
      });
    };
    return { arm, cancel };
  };
  return { presence: single(), sweep: single() };
}

/** One line when the store stops taking changes, one when it takes them again. */
function createOutage({ clock, log }: PluginHost) {
  let since: number | undefined;
  return {
    began(error: unknown): void {
      if (since !== undefined) return;
      since = clock.monotonic();
      log.warn("control.delayed", {
        error,
        reason: "the store did not take a change of agents; it is made again while it holds",
      });
    },
    over(): void {
      if (since === undefined) return;
      log.info("control.caughtUp", { delayedMs: Math.round(clock.monotonic() - since) });
      since = undefined;
    },
  };
}
