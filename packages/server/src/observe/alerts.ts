/**
 * Calls somebody when something is wrong, once, and once more when it is over.
 *
 * Life cycle: judged each {@link judgeMs} → an alert that is new is raised: a line in the log and a notice → as long
 * as it lasts nothing more is said → cleared likewise, once it was well for {@link calmMs}: what comes and goes around
 * its limit is one alert. Invariants: raised and cleared strictly take turns for each id; judging or telling that fails
 * is an alert itself, ends no watch and clears nothing, so that silence means calm. It deliberately decides nothing and
 * repairs nothing.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Alert } from "./alertRules.ts";
import { toError } from "./errorRecord.ts";
import type { Log } from "./log.ts";

export const judgeMs = 10_000;
export const calmMs = 60_000;

/** What a person is told of an alert. */
export interface AlertNotice {
  readonly kind: "raised" | "cleared";
  readonly alert: Alert["id"];
  readonly sentence: string;
  /** ms since 1970: of its raising. */
  readonly since: number;
}

export interface AlertsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly judge: () => readonly Alert[];
  readonly notify: (notice: AlertNotice) => void;
}

/** Returns how to stop. */
export function startAlerts({ clock, log, judge, notify }: AlertsOptions): () => void {
  const raised = new Map<Alert["id"], AlertNotice>();
  /** Monotonic ms at which each was wrong last. */
  const wrongAt = new Map<Alert["id"], number>();
  /** What went wrong in telling; judged with the next. */
  let fault: unknown;
  let timer: TimerHandle;

  const judged = (): readonly Alert[] => {
    try {
      if (fault !== undefined) throw fault;
      return judge();
    } catch (error) {
      fault = undefined;
      // What is raised was not looked at: nobody knows whether it is well again.
      for (const id of raised.keys()) wrongAt.set(id, clock.monotonic());
      const { message } = toError(error);
      return [{ id: "monitor", sentence: `What watches this server fails itself: ${message}` }];
    }
  };

  const raise = ({ id, sentence }: Alert): void => {
    wrongAt.set(id, clock.monotonic());
    if (raised.has(id)) return;
    const notice: AlertNotice = { kind: "raised", alert: id, sentence, since: clock.now() };
    raised.set(id, notice);
    log.warn("alert.raised", { alert: id, sentence });
    notify(notice);
  };

  const clearCalm = (): void => {
    for (const [id, notice] of raised) {
      if (clock.monotonic() - (wrongAt.get(id) ?? 0) < calmMs) continue;
      raised.delete(id);
      log.info("alert.cleared", { alert: id, forMs: clock.now() - notice.since });
      notify({ ...notice, kind: "cleared" });
    }
  };

  const look = (): void => {
    timer = clock.after(judgeMs, look);
    try {
      for (const alert of judged()) raise(alert);
      clearCalm();
    } catch (error) {
      fault = error;
    }
  };

  timer = clock.after(judgeMs, look);
  return () => clock.cancel(timer);
}
