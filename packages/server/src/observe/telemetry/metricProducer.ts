/**
 * The node's metrics for OpenTelemetry: the same names, labels and values as at `/metrics`, in its form.
 *
 * Invariant: nothing is counted twice; each collection reads what Prometheus would read at that moment. All counts are
 * since the start of the process (cumulative).
 */
import type { Clock } from "@holdfast/protocol";
import { type HrTime, ValueType } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import type { Registry } from "prom-client";

type Metric = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>[number];

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
}

export function createMetricProducer(
  read: () => Promise<readonly Metric[]>,
  clock: Pick<Clock, "now">,
  scope: { readonly name: string; readonly version: string },
): MetricProducer {
  const since = timeOf(clock.now());
  return {
    async collect() {
      const times = { startTime: since, endTime: timeOf(clock.now()) };
      const metrics = (await read()).flatMap((metric) => metricData(metric, times) ?? []);
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] }, errors: [] };
    },
  };
}

interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** Undefined: of a kind that we have none of. */
function metricData(metric: Metric, times: Times): MetricData | undefined {
  const { name, help } = metric;
  const samples = metric.values as readonly Sample[];
  const descriptor = { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  // prom-client tells its types as words, whatever its declarations say.
  switch (String(metric.type)) {
    case "counter":
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: numbers(samples, times),
      };
    case "gauge":
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.GAUGE,
        dataPoints: numbers(samples, times),
      };
    case "histogram":
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: histograms(samples, times),
      };
    default:
      return undefined;
  }
}

function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return "s";
  return /_bytes(_total)?$/.test(name) ? "By" : "1";
}

function numbers(samples: readonly Sample[], times: Times): DataPoint<number>[] {
  return samples.map(({ value, labels }) => ({ ...times, attributes: labels, value }));
}

/** Prometheus adds buckets up; here each has its own. */
function histograms(samples: readonly Sample[], times: Times): DataPoint<Histogram>[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups].map(([key, group]) => {
    const endingWith = (suffix: string): readonly Sample[] =>
      group.filter(({ metricName }) => metricName?.endsWith(suffix) === true);
    const buckets = endingWith("_bucket");
    const count = endingWith("_count")[0]?.value ?? 0;
    const sum = endingWith("_sum")[0]?.value ?? 0;
    const boundaries = buckets.map(({ labels }) => Number(labels["le"])).filter(Number.isFinite);
    const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0));
    return { ...times, attributes: JSON.parse(key), value: { buckets: { boundaries, counts }, count, sum } };
  });
}

function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
