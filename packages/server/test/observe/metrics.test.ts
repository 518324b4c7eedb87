/**
 * What a scrape shows of what a node was told and does.
 *
 * Seen red: with labels that grow without bound, with a welcomed connection counted as failed, and with a count that
 * is kept elsewhere added up at each scrape.
 */
import { closeCodes } from "@holdfast/protocol";
import { afterEach, expect, it } from "vitest";
import { createMetrics, type Metrics } from "../../src/observe/metrics.ts";
import { record } from "../support/record.ts";

const made: Metrics[] = [];
afterEach(() => {
  for (const metrics of made.splice(0)) metrics.stop();
});

function start(dashboardNames = false): Metrics {
  const metrics = createMetrics({ version: "1.2.3", dashboardNames });
  made.push(metrics);
  return metrics;
}

async function values(metrics: Metrics): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

it("counts openings: attempted, successful, and failed by why", async () => {
  const metrics = start(true);
  const { observer } = metrics;
  for (let index = 0; index < 4; index += 1) observer.upgrade();
  observer.upgrade(403);
  observer.welcomed({ connection: "c", at: 0, phases: record.phases });
  observer.ended(record);
  observer.ended({ ...record, phases: {}, code: closeCodes.silent, durationMs: 10_000 });
  observer.ended({ ...record, phases: { hello: 3 }, code: closeCodes.lost, durationMs: 5 });
  observer.ended({ ...record, phases: { hello: 3, admitted: 4 }, code: closeCodes.unauthenticated, durationMs: 5 });
  expect(await values(metrics)).toMatchObject({
    holdfast_openings_attempted_total: 5,
    holdfast_openings_successful_total: 1,
    'holdfast_openings_failed_total{reason="upgrade_403"}': 1,
    'holdfast_openings_failed_total{reason="silent"}': 1,
    'holdfast_openings_failed_total{reason="left_before_welcome"}': 1,
    'holdfast_openings_failed_total{reason="unauthenticated"}': 1,
    'holdfast_connections_closed_total{code="1006"}': 2,
    'holdfast_connections_short_total{code="4408"}': 1,
    'holdfast_opening_phase_seconds_sum{phase="verification"}': 0.03,
    holdfast_received_bytes_total: 400,
    dashboard_connections_attempted: 5,
    dashboard_connections_successful: 1,
    dashboard_init_errors_total: 4,
    dashboard_init_duration_seconds_count: 1,
    dashboard_circuit_breaker_open: 0,
  });
});

it("reads what others count, and shows it as it is at each scrape", async () => {
  const metrics = start();
  let deliveries = 10;
  metrics.connect({
    connections: () => 7,
    degraded: () => true,
    stormFactor: () => 1.5,
    loopDelayMs: () => 12,
    deliveries: () => deliveries,
    retriesIgnored: () => 2,
    duplicatesSuppressed: () => 3,
    gapsRepaired: () => 4,
    subscriptions: () => 3,
    subscriptionsPending: () => 1,
    openingsUnderWay: () => 4,
    openingBuckets: () => 5,
  });
  await metrics.text();
  deliveries = 25;
  const seen = await values(metrics);
  expect(seen).toMatchObject({
    holdfast_connections: 7,
    holdfast_storm_factor: 1.5,
    holdfast_loop_delay_p99_seconds: 0.012,
    holdfast_store_breaker_open: 1,
    holdfast_deliveries_total: 25,
    holdfast_retry_ignored_total: 2,
    holdfast_subscriptions: 3,
    holdfast_subscriptions_pending: 1,
    holdfast_openings_under_way: 4,
    holdfast_opening_buckets: 5,
    'holdfast_build_info{version="1.2.3"}': 1,
  });
  expect(Object.keys(seen).filter((name) => name.startsWith("dashboard_"))).toEqual([]);
});

it("counts failures of the store by operation and the database's own code, and messages by type", async () => {
  const metrics = start();
  const { observer } = metrics;
  observer.store("read", 2);
  observer.store("read", 3, Object.assign(new Error("permission denied"), { code: "42501" }));
  observer.message("ping", 4);
  observer.message("ping", 6);
  observer.failure("refused", "forbidden");
  observer.verified("session", "accepted");
  observer.probe(false);
  expect(await values(metrics)).toMatchObject({
    'holdfast_store_errors_total{operation="read",code="42501"}': 1,
    'holdfast_store_seconds_count{operation="read"}': 2,
    'holdfast_messages_received_total{type="ping"}': 2,
    'holdfast_message_handling_seconds_total{type="ping"}': 0.01,
    'holdfast_message_failures_total{type="refused",code="forbidden"}': 1,
    'holdfast_verifications_total{issuer="session",result="accepted"}': 1,
    'holdfast_store_probes_total{result="failed"}': 1,
  });
});

it("[X14] has bounded labels, whatever codes peers and databases make up", async () => {
  const metrics = start();
  for (let code = 3_000; code < 4_000; code += 1) {
    metrics.observer.ended({ ...record, code, durationMs: 5 });
    metrics.observer.store("read", 1, Object.assign(new Error("x"), { code: `E${code}` }));
    metrics.observer.failure("refused", `made_up_${code}`);
    metrics.observer.verified(`https://${code}.example`, "refused");
  }
  const names = Object.keys(await values(metrics));
  for (const name of ["connections_closed", "connections_short", "store_errors", "message_failures", "verifications"])
    expect(names.filter((one) => one.startsWith(`holdfast_${name}_total`))).toHaveLength(101);
});
