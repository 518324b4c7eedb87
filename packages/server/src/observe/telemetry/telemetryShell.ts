/**
 * OpenTelemetry for one server: spans and metrics by OTLP to where the `OTEL_…` variables say.
 *
 * Life cycle: opened with the server → told by its rooms → `stop` sends what waits, for {@link flushMsMax} at most.
 * Loaded only where the variables ask for it. Invariants: what is told here never waits and is never waited for; at most
 * the library's queue of spans (2,048, `OTEL_BSP_MAX_QUEUE_SIZE`) waits for a collector, later ones are dropped; one
 * export of each kind is under way, 10 s long at most (`OTEL_EXPORTER_OTLP_TIMEOUT`); a collector that is away is told
 * once a {@link toldApartMs}, and its return. It registers nothing for the process: an app's own OpenTelemetry is its own.
 */
import type { Clock } from "@holdfast/protocol";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Registry } from "prom-client";
import type { Log } from "../log.ts";
import { type Observer, silentObserver } from "../observer.ts";
import type { TelemetryWanted } from "./environment.ts";
import { createMetricProducer } from "./metricProducer.ts";
import { createSpansObserver } from "./spansObserver.ts";

const flushMsMax = 1_000;
const toldApartMs = 60_000;
const metricsEveryMs = 60_000;
const exportMsMax = 10_000;
const succeeded = 0;

export interface Telemetry {
  readonly observer: Observer;
  /** Sends what waits, bounded, whatever the collector does. */
  stop(): Promise<void>;
}

export interface TelemetryOptions {
  readonly wanted: TelemetryWanted;
  readonly version: string;
  /** As the conventions call the database: `sqlite`, `postgresql`. */
  readonly store: string;
  readonly metrics: Pick<Registry, "getMetricsAsJSON">;
  readonly clock: Clock;
  readonly log: Log;
}

export function openTelemetry({ wanted, version, store, metrics, clock, log }: TelemetryOptions): Telemetry {
  const { foreignProtocol } = wanted;
  if (foreignProtocol !== undefined)
    log.warn("telemetry.protocol", { asked: foreignProtocol, spoken: "http/json", meaning: "sent as JSON over HTTP" });
  const scope = { name: "holdfast", version };
  // What the environment says of the service goes over what we say.
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": "holdfast", "service.version": version }))
    .merge(detectResources({ detectors: [envDetector] }));
  const ends: (() => Promise<void>)[] = [];
  let observer = silentObserver;
  if (wanted.spans) {
    const exporter = watched(new OTLPTraceExporter(), "spans", clock, log);
    const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
    observer = createSpansObserver(provider.getTracer(scope.name, version), clock, store);
    ends.push(() => provider.shutdown());
  }
  if (wanted.metrics) {
    const reader = new PeriodicExportingMetricReader({
      exporter: watched(new OTLPMetricExporter(), "metrics", clock, log),
      exportIntervalMillis: everyMs(process.env["OTEL_METRIC_EXPORT_INTERVAL"]),
      exportTimeoutMillis: Math.min(exportMsMax, everyMs(process.env["OTEL_METRIC_EXPORT_INTERVAL"])),
      metricProducers: [createMetricProducer(() => metrics.getMetricsAsJSON(), clock, scope)],
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    ends.push(() => provider.shutdown());
  }
  return {
    observer,
    async stop() {
      const flushed = Promise.allSettled(ends.map((end) => end()));
      await new Promise<void>((resolve) => {
        const timer = clock.after(flushMsMax, resolve);
        void flushed.then(() => {
          clock.cancel(timer);
          resolve();
        });
      });
    },
  };
}

function everyMs(asked: string | undefined): number {
  const ms = Number(asked);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : metricsEveryMs;
}

interface Exporter<Items> {
  export(items: Items, done: (result: { readonly code: number; readonly error?: Error }) => void): void;
}

/** The same exporter; what becomes of its exports is told. */
function watched<Items, Kind extends Exporter<Items>>(exporter: Kind, of: string, clock: Clock, log: Log): Kind {
  const send = exporter.export.bind(exporter);
  let awaySince: number | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  let isTold = false;
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code === succeeded) {
        if (isTold) log.info("telemetry.available", { of, forMs: clock.now() - (awaySince ?? clock.now()) });
        awaySince = undefined;
        isTold = false;
      } else {
        awaySince ??= clock.now();
        if (clock.monotonic() - toldAt >= toldApartMs && !isTold) {
          toldAt = clock.monotonic();
          isTold = true;
          const meaning = "nothing waits for it; what finds no place in its queue is dropped";
          log.warn("telemetry.unavailable", { of, error: result.error, meaning });
        }
      }
      done(result);
    });
  return exporter;
}
