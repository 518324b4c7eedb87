/**
 * The node's metrics, as Prometheus reads them: an {@link Observer} that adds up what it is told.
 *
 * Life cycle: made with the server → told by the rooms → `text` at each scrape → `stop`. What others count already
 * (open connections, the breaker, deliveries, ignored retries) is read at the scrape, so that nothing is counted
 * twice. Invariant: labels are bounded: close codes, message types, operations and error codes of lists that this
 * program knows, and `other`; no stream, no user, no address (X14).
 */
import { closeCodes } from "@holdfast/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Alert, alertIds } from "./alertRules.ts";
import { type ConnectionRecord, shortMs } from "./connectionRecord.ts";
import { codeOf } from "./errorCode.ts";
import { type Observer, silentObserver } from "./observer.ts";

/** Different values of one label; later ones are `other`. */
const labelValuesMax = 100;
const other = "other";
const openingSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const lifeSeconds = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];
const storeSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What is counted elsewhere and read at each scrape. */
export interface MetricSources {
  readonly connections: () => number;
  /** Openings attempted a client in the last minute. */
  readonly stormFactor: () => number;
  readonly degraded: () => boolean;
  /** p99, ms. */
  readonly loopDelayMs: () => number;
  /** Events written to readers, once for each. */
  readonly deliveries: () => number;
  /** Repeats that clients have dropped, and gaps that they have filled, as they say (ST-16). */
  readonly duplicatesSuppressed: () => number;
  readonly gapsRepaired: () => number;
  /** Openings that came before their time (AD-3). */
  readonly retriesIgnored: () => number;
  /** Subscriptions that are attached, and those that wait for the store. */
  readonly subscriptions: () => number;
  readonly subscriptionsPending: () => number;
  /** Openings between their `hello` and their `welcome`. */
  readonly openingsUnderWay: () => number;
  /** Principals and addresses whose openings are counted (AD-1). */
  readonly openingBuckets: () => number;
}

export interface MetricsOptions {
  readonly version: string;
  /** Also under the names that operators of the systems before this one asked for. */
  readonly dashboardNames: boolean;
}

export interface Metrics {
  /** An alert is raised, or over. */
  alert(id: Alert["id"], isRaised: boolean): void;
  readonly observer: Observer;
  readonly contentType: string;
  /** Called once, when there is a node to read from. */
  connect(sources: MetricSources): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  /** The same, for another format. */
  readonly registry: Pick<Registry, "getMetricsAsJSON">;
  stop(): void;
}

export function createMetrics({ version, dashboardNames }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let sources: MetricSources | undefined;
  collectDefaultMetrics({ register: registry });

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `holdfast_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram({ name: `holdfast_${name}`, help, labelNames: [...labelNames], buckets: [...buckets], registers });
  const gauge = (name: string, help: string, read: () => number | undefined, prefix = "holdfast_") =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        this.set(read() ?? 0);
      },
    });
  /** A count that is kept elsewhere. */
  const readCounter = (name: string, help: string, read: () => number | undefined) =>
    new Counter({
      name: `holdfast_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read() ?? 0);
      },
    });

  const attempted = counter("openings_attempted_total", "Upgrades asked for at the sockets' address.");
  const successful = counter("openings_successful_total", "Connections that were welcomed.");
  const failed = counter("openings_failed_total", "Openings that were not welcomed, by why.", ["reason"]);
  const phases = histogram("opening_phase_seconds", "Time of each step of an opening.", openingSeconds, ["phase"]);
  const closed = counter("connections_closed_total", "Connections that ended, by close code.", ["code"]);
  const short = counter("connections_short_total", "Those of them that lived less than 60 s.", ["code"]);
  const life = histogram("connection_duration_seconds", "How long connections lived.", lifeSeconds);
  const messages = counter("messages_received_total", "Messages of clients, by type.", ["type"]);
  const handling = counter("message_handling_seconds_total", "Time in which messages were worked on.", ["type"]);
  const failures = counter("message_failures_total", "Messages that were refused, by code.", ["type", "code"]);
  const bytesIn = counter("received_bytes_total", "Bytes of ended connections that came in.");
  const bytesOut = counter("sent_bytes_total", "Bytes of ended connections that went out.");
  const storeErrors = counter("store_errors_total", "Calls of the store that failed.", ["operation", "code"]);
  const storeTime = histogram("store_seconds", "Time of a call of the store.", storeSeconds, ["operation"]);
  const probes = counter("store_probes_total", "Times an absent store was asked whether it is back.", ["result"]);
  const verifications = counter("verifications_total", "Credentials that were judged, by issuer.", [
    "issuer",
    "result",
  ]);
  const lag = histogram(
    "display_lag_seconds",
    "p99 of an event's way to the screen, as clients say once a minute.",
    openingSeconds,
  );
  gauge("connections", "Open sockets.", () => sources?.connections());
  gauge("subscriptions", "Streams that are read, once for each reader; one is the node's own.", () =>
    sources?.subscriptions(),
  );
  gauge("subscriptions_pending", "Those that wait for the store (ST-7).", () => sources?.subscriptionsPending());
  gauge("openings_under_way", "Openings from hello to welcome (AD-3).", () => sources?.openingsUnderWay());
  gauge("opening_buckets", "Principals and addresses that are counted (AD-1).", () => sources?.openingBuckets());
  gauge("store_breaker_open", "1 while the store is not asked (AD-2).", () => Number(sources?.degraded() ?? false));
  gauge("storm_factor", "Openings attempted a client in the last minute.", () => sources?.stormFactor());
  gauge(
    "loop_delay_p99_seconds",
    "Delay of the event loop, of the last 10 s.",
    () => (sources?.loopDelayMs() ?? 0) / 1_000,
  );
  readCounter("deliveries_total", "Events written, once for each reader.", () => sources?.deliveries());
  readCounter("duplicates_suppressed_total", "Repeats that clients dropped, as they say.", () =>
    sources?.duplicatesSuppressed(),
  );
  readCounter("gaps_repaired_total", "Gaps that clients filled, as they say.", () => sources?.gapsRepaired());
  readCounter("retry_ignored_total", "Openings before their time (AD-3).", () => sources?.retriesIgnored());
  new Gauge({ name: "holdfast_build_info", help: "1, with the version.", labelNames: ["version"], registers }).set(
    { version },
    1,
  );
  const alerts = new Gauge({ name: "holdfast_alert_raised", help: "1 while it is.", labelNames: ["alert"], registers });
  for (const alert of alertIds) alerts.set({ alert }, 0);
  const asked = dashboardNames ? dashboardMetrics(registers, () => sources?.degraded() ?? false) : undefined;

  const known = new Map<string, Set<string>>();
  /** The value, or `other` where this label has had too many already. */
  const bounded = (label: string, value: string): string => {
    const values = known.get(label) ?? new Set();
    known.set(label, values);
    if (values.size < labelValuesMax) values.add(value);
    return values.has(value) ? value : other;
  };

  const observer: Observer = {
    ...silentObserver,
    upgrade(status) {
      attempted.inc();
      asked?.attempted.inc();
      if (status === undefined) return;
      failed.inc({ reason: `upgrade_${status}` });
      asked?.errors.inc();
    },
    welcomed() {
      successful.inc();
      asked?.successful.inc();
    },
    ended(record) {
      const code = bounded("code", String(record.code));
      const { hello, admitted, welcomed } = record.phases;
      if (welcomed === undefined) {
        failed.inc({ reason: failureOf(record) });
        asked?.errors.inc();
      }
      if (hello !== undefined) phases.observe({ phase: "hello" }, hello / 1_000);
      if (hello !== undefined && admitted !== undefined)
        phases.observe({ phase: "admission" }, (admitted - hello) / 1_000);
      if (admitted !== undefined && welcomed !== undefined)
        phases.observe({ phase: "verification" }, (welcomed - admitted) / 1_000);
      if (welcomed !== undefined) asked?.duration.observe(welcomed / 1_000);
      closed.inc({ code });
      if (record.durationMs < shortMs) short.inc({ code });
      life.observe(record.durationMs / 1_000);
      bytesIn.inc(record.bytesIn);
      bytesOut.inc(record.bytesOut);
    },
    message(type, ms) {
      messages.inc({ type });
      handling.inc({ type }, ms / 1_000);
    },
    failure: (type, code) => failures.inc({ type, code: bounded("failure", code) }),
    store(operation, ms, error) {
      storeTime.observe({ operation }, ms / 1_000);
      if (error !== undefined) storeErrors.inc({ operation, code: bounded("store", codeOf(error)) });
    },
    displayLag: (ms) => lag.observe(ms / 1_000),
    probe: (ok) => probes.inc({ result: ok ? "answered" : "failed" }),
    verified: (issuer, result) => verifications.inc({ issuer: bounded("issuer", issuer), result }),
  };

  return {
    observer,
    contentType: registry.contentType,
    connect(connected) {
      sources = connected;
    },
    text: () => registry.metrics(),
    registry,
    alert: (alert, isRaised) => alerts.set({ alert }, Number(isRaised)),
    stop() {
      registry.clear();
    },
  };
}

const codeNames: ReadonlyMap<number, string> = new Map(Object.entries(closeCodes).map(([name, code]) => [code, name]));

/** Why an opening did not get to `welcome`: what we said, or that the other end went. */
function failureOf({ code, phases }: ConnectionRecord): string {
  const name = codeNames.get(code);
  if (name === undefined) return other;
  const wentAway = code === closeCodes.lost || code === closeCodes.noStatus || code <= closeCodes.goingAway;
  if (!wentAway) return name;
  return phases.hello === undefined ? "left_before_hello" : "left_before_welcome";
}

/** What the operators of the systems before this one asked for, under their own names. */
function dashboardMetrics(registers: Registry[], isOpen: () => boolean) {
  const counter = (name: string, help: string): Counter => new Counter({ name: `dashboard_${name}`, help, registers });
  new Gauge({
    name: "dashboard_circuit_breaker_open",
    help: "1 while the store is not asked.",
    registers,
    collect() {
      this.set(Number(isOpen()));
    },
  });
  return {
    attempted: counter("connections_attempted", "Upgrades asked for."),
    successful: counter("connections_successful", "Connections that were welcomed."),
    errors: counter("init_errors_total", "Openings that were not welcomed."),
    duration: new Histogram({
      name: "dashboard_init_duration_seconds",
      help: "From the upgrade to the welcome.",
      buckets: openingSeconds,
      registers,
    }),
  };
}
