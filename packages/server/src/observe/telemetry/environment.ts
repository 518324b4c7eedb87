/**
 * What OpenTelemetry's own variables ask of this program: nothing, spans, metrics, or both. Pure.
 *
 * Names and meanings are the specification's. Where to, with which headers, how often and how many is read by the
 * library from the same variables. A variable that is set and empty is not set.
 */
export interface TelemetryWanted {
  readonly spans: boolean;
  readonly metrics: boolean;
  /** A protocol that was asked for, and that this program does not speak. */
  readonly foreignProtocol: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is spoken: OTLP over HTTP, as JSON. */
const spoken = "http/json";

export function telemetryWanted(environment: Environment): TelemetryWanted {
  const value = (name: string): string | undefined => environment[`OTEL_${name}`]?.trim() || undefined;
  const isOff = value("SDK_DISABLED")?.toLowerCase() === "true";
  const wants = (signal: "TRACES" | "METRICS"): boolean => {
    const exporter = value(`${signal}_EXPORTER`);
    if (isOff || (exporter !== undefined && exporter !== "otlp")) return false;
    const endpoints = [value(`EXPORTER_OTLP_${signal}_ENDPOINT`), value("EXPORTER_OTLP_ENDPOINT")];
    return exporter === "otlp" || endpoints.some((endpoint) => endpoint !== undefined);
  };
  const protocols = ["_TRACES", "_METRICS", ""].map((signal) => value(`EXPORTER_OTLP${signal}_PROTOCOL`));
  return {
    spans: wants("TRACES"),
    metrics: wants("METRICS"),
    foreignProtocol: protocols.find((protocol) => protocol !== undefined && protocol !== spoken),
  };
}
