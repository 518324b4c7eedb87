/**
 * All that looks at a node without taking part: metrics, the delay of its loop, alerts.
 *
 * Life cycle: made before the node, which tells its `observer` → `follow` gives it the node to read from → `callOut`
 * once people can come → `stop`, at any point, leaves no timer. Invariant: nothing here changes what the node does.
 */
import type { Node } from "../node.ts";
import type { Settings } from "../settings.ts";
import { type AlertNotice, startAlerts } from "./alerts.ts";
import { watchLoopDelay } from "./loopDelay.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createWebhook } from "./webhook.ts";

export interface Watch extends Pick<Metrics, "observer" | "contentType" | "text" | "registry"> {
  /** p99, ms. */
  readonly loopDelayMs: () => number;
  follow(node: Node): void;
  /** Alerts from now on; `url` names this server in them. */
  callOut(node: Node, url: string): void;
  stop(): void;
}

export function createWatch(
  settings: Pick<Settings, "clock" | "log" | "version" | "dashboardMetrics" | "alertWebhook">,
): Watch {
  const { clock, log, version, dashboardMetrics, alertWebhook } = settings;
  const metrics = createMetrics({ version, dashboardNames: dashboardMetrics });
  const loopDelay = watchLoopDelay(clock);
  const ends = [metrics.stop, loopDelay.stop];
  return {
    observer: metrics.observer,
    contentType: metrics.contentType,
    text: metrics.text,
    registry: metrics.registry,
    loopDelayMs: loopDelay.p99Ms,
    follow: ({ gateway, context }) =>
      metrics.connect({
        connections: () => gateway.connections.size,
        loopDelayMs: loopDelay.p99Ms,
        degraded: () => context.health.degraded !== undefined,
        deliveries: () => context.hub.deliveries,
        duplicatesSuppressed: () => context.records.toldSums.duplicatesSuppressed,
        gapsRepaired: () => context.records.toldSums.gapsRepaired,
        stormFactor: () => context.records.stormFactor(),
        retriesIgnored: () => context.admission.retriesIgnored,
        subscriptions: () => context.hub.readers,
        subscriptionsPending: () => context.openings.waiting,
        openingsUnderWay: () => context.admission.underWay,
        openingBuckets: () => context.admission.buckets,
      }),
    callOut(node, url) {
      const webhook =
        alertWebhook === undefined ? undefined : createWebhook({ url: alertWebhook, server: url, clock, log });
      const notify = (notice: AlertNotice): void => {
        metrics.alert(notice.alert, notice.kind === "raised");
        webhook?.send(notice);
      };
      const stopAlerts = startAlerts({ clock, log, judge: node.problems, notify });
      ends.push(stopAlerts, () => webhook?.stop());
    },
    stop() {
      for (const end of ends) end();
    },
  };
}
