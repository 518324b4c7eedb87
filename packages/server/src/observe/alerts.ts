/**
 * Calls somebody when something is wrong, once, and once more when it is over.
 *
 * Life cycle: judged each {@link judgeMs} → an alert that is new is raised: a line in the log and a notice → as long
 * as it lasts nothing more is said → cleared likewise. Invariants: raised and cleared strictly take turns for each id;
 * judging that fails is an alert itself, so that silence means calm. It deliberately decides nothing and repairs
 * nothing.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Alert } from "./alertRules.ts";
import { toError } from "./errorRecord.ts";
import type { Log } from "./log.ts";

export const judgeMs = 10_000;

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
  let timer: TimerHandle;

  const judged = (): readonly Alert[] => {
    try {
      return judge();
    } catch (error) {
      const { message } = toError(error);
      return [{ id: "monitor", sentence: `What watches this server fails itself: ${message}` }];
    }
  };

  const look = (): void => {
    const now = judged();
    for (const { id, sentence } of now) {
      if (raised.has(id)) continue;
      const notice: AlertNotice = { kind: "raised", alert: id, sentence, since: clock.now() };
      raised.set(id, notice);
      log.warn("alert.raised", { alert: id, sentence });
      notify(notice);
    }
    const wrong = new Set(now.map(({ id }) => id));
    for (const [id, notice] of raised) {
      if (wrong.has(id)) continue;
      raised.delete(id);
      log.info("alert.cleared", { alert: id, forMs: clock.now() - notice.since });
      notify({ ...notice, kind: "cleared" });
    }
    timer = clock.after(judgeMs, look);
  };

  timer = clock.after(judgeMs, look);
  return () => clock.cancel(timer);
}
