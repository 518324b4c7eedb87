/**
 * Tells an address of the operator's choice of alerts: one POST each, in order.
 *
 * Invariants: at most {@link waitingMax} wait, the oldest go first and are counted in the log; each is tried
 * {@link triesMax} times, {@link triesApartMs} apart, {@link answerMsMax} long; no redirect is followed. What is sent
 * has no credential and nothing of what anybody said. A plain shell over `fetch`.
 */
import type { Clock } from "@holdfast/protocol";
import type { AlertNotice } from "./alerts.ts";
import type { Log } from "./log.ts";

const waitingMax = 20;
const triesMax = 5;
const triesApartMs = 10_000;
const answerMsMax = 5_000;

export interface Webhook {
  send(notice: AlertNotice): void;
  stop(): void;
}

export interface WebhookOptions {
  readonly url: string;
  /** Names this server to whoever reads it. */
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
}

export function createWebhook({ url, server, clock, log }: WebhookOptions): Webhook {
  const waiting: AlertNotice[] = [];
  const ending = new AbortController();
  let working = false;

  const post = async (notice: AlertNotice): Promise<void> => {
    const response = await fetch(url, {
      method: "POST",
      redirect: "error",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...notice, server }),
      signal: AbortSignal.any([ending.signal, AbortSignal.timeout(answerMsMax)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
  };

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const over = (): void => {
        clock.cancel(timer);
        // A webhook that is away for months leaves no listener for each try.
        ending.signal.removeEventListener("abort", over);
        resolve();
      };
      const timer = clock.after(triesApartMs, over);
      ending.signal.addEventListener("abort", over);
    });

  const deliver = async (notice: AlertNotice): Promise<void> => {
    for (let tries = 1; !ending.signal.aborted; tries += 1) {
      try {
        await post(notice);
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (tries === triesMax) {
          log.warn("alert.not_delivered", { alert: notice.alert, kind: notice.kind, tries, error });
          return;
        }
        await pause();
      }
    }
  };

  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next !== undefined && !ending.signal.aborted; next = waiting.shift())
      await deliver(next);
    working = false;
  };

  return {
    send(notice) {
      waiting.push(notice);
      if (waiting.length > waitingMax) {
        const dropped = waiting.shift();
        log.warn("alert.not_delivered", { alert: dropped?.alert, kind: dropped?.kind, tries: 0 });
      }
      void work();
    },
    stop: () => ending.abort(),
  };
}
