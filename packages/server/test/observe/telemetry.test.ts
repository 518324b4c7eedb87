/**
 * OpenTelemetry against a collector on this machine: what arrives, what never does, and collectors that are dead or hang.
 *
 * Seen red: with spans that begin when they end, with the buckets of Prometheus passed on as they are, with the method's
 * name taken from the client, and with every failed export told.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server } from "../../src/index.ts";
import { telemetryWanted } from "../../src/observe/telemetry/environment.ts";
import { collectLog } from "../auth/authWorld.ts";
import { newId } from "../support/principals.ts";
import { makeHello } from "../support/world.ts";

const canary = "CANARY-f00d";
const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function setEnvironment(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    process.env[name] = value;
    cleanUps.push(() => void delete process.env[name]);
  }
}

/** Sends soon, so that a test need not wait. */
const soon = { OTEL_BSP_SCHEDULE_DELAY: "20", OTEL_METRIC_EXPORT_INTERVAL: "50" };

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: {
    readonly dataPoints: readonly { readonly asDouble: number; readonly attributes: readonly Attribute[] }[];
  };
  readonly histogram?: {
    readonly dataPoints: readonly { readonly bucketCounts: readonly number[]; readonly count: number }[];
  };
}

async function collector(): Promise<{ bodies: string[]; spans(): Span[]; metrics(): Metric[]; names: Set<string> }> {
  const bodies: string[] = [];
  const names = new Set<string>();
  const server: HttpServer = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      bodies.push(`${request.url} ${body}`);
      for (const name of Object.keys(request.headers)) names.add(name);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await listening(server);
  const of = (path: string) =>
    bodies.filter((body) => body.startsWith(`${path} `)).map((body) => JSON.parse(body.slice(path.length + 1)));
  type Traces = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
  type Metrics = { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] };
  return {
    bodies,
    names,
    spans: () =>
      (of("/v1/traces") as Traces[]).flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
    metrics: () =>
      (of("/v1/metrics") as Metrics[])
        .slice(-1)
        .flatMap(({ resourceMetrics }) =>
          resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
        ),
  };
}

async function listening(server: HttpServer | TcpServer): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  setEnvironment({ [endpoint]: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...soon });
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  if ("closeAllConnections" in server) cleanUps.push(() => server.closeAllConnections());
}

async function start(): Promise<{ server: Server; log: ReturnType<typeof collectLog>["lines"] }> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-telemetry-"));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  const { lines, log } = collectLog();
  const app = new URL("../support/notesApp.ts", import.meta.url);
  const server = await createServer({ app, data, mode: "development", telemetry: true, version: "1.2.3", log });
  cleanUps.push(() => server.close());
  return { server, log: lines };
}

/** Opens, asks what is given, and is gone. How long each answer took, ms. */
async function work(server: Server, requests: readonly object[]): Promise<number[]> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, "holdfast.v1");
  const answered = new Map<string, () => void>();
  const welcomed = Promise.withResolvers<void>();
  socket.on("message", (data) => {
    for (const { type, id } of JSON.parse(String(data)) as { type: string; id?: string }[]) {
      if (type === "welcome") welcomed.resolve();
      if (type === "response" && id !== undefined) answered.get(id)?.();
    }
  });
  await new Promise((resolve) => socket.on("open", resolve));
  socket.send(JSON.stringify([makeHello()]));
  await welcomed.promise;
  const times: number[] = [];
  for (const request of requests) {
    const id = newId();
    const began = performance.now();
    const done = new Promise<void>((resolve) => answered.set(id, resolve));
    socket.send(JSON.stringify([{ type: "request", id, ...request }]));
    await done;
    times.push(performance.now() - began);
  }
  socket.close();
  await new Promise((resolve) => socket.on("close", resolve));
  return times;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const shown = ({ attributes }: Pick<Span, "attributes">): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const add = { method: "note.add", params: { text: canary } };

describe("a collector that answers", () => {
  it("gets openings with their phases, requests and batches as spans, with names by the conventions and nothing said", async () => {
    const here = await collector();
    const { server } = await start();
    await work(server, [
      add,
      { method: `made.up.${canary}`, params: {} },
      { method: "note.add", params: { text: "break" } },
    ]);
    await until(() => here.spans().filter(({ name }) => name === "note.add").length === 2);
    await until(() => here.spans().some(({ name }) => name === "verification"));
    const spans = here.spans();
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [opening] = named("GET /ws");
    expect(shown(opening as Span)).toMatchObject({ "url.path": "/ws", "network.protocol.name": "websocket" });
    for (const phase of ["hello", "admission", "verification"]) {
      const [step] = named(phase);
      expect([step?.parentSpanId, step?.traceId]).toEqual([opening?.spanId, opening?.traceId]);
    }
    expect(BigInt(opening?.endTimeUnixNano ?? 0) - BigInt(opening?.startTimeUnixNano ?? 0)).toBeGreaterThan(0n);
    expect(
      named("note.add").map((span) => [shown(span)["rpc.method"], shown(span)["error.type"], span.status.code]),
    ).toEqual([
      ["note.add", undefined, 0],
      ["note.add", "internal", 2],
    ]);
    expect(shown(named("unknown")[0] as Span)).toMatchObject({ "rpc.method": "unknown", "error.type": "not_found" });
    expect(shown(named("commit")[0] as Span)).toMatchObject({
      "db.system.name": "sqlite",
      "db.operation.name": "commit",
    });
    expect(here.bodies.join("")).not.toContain(canary);
    expect(here.bodies.join("")).toContain('"service.name"');
    expect([...here.names]).not.toContain("authorization");
  });

  it("gets the metrics under the names of /metrics, histograms with a count for each bucket", async () => {
    const here = await collector();
    const { server } = await start();
    await work(server, [add]);
    const find = (name: string) => here.metrics().find((metric) => metric.name === name);
    await until(() => find("holdfast_connections_closed_total")?.sum?.dataPoints[0]?.asDouble === 1);
    const phase = find("holdfast_opening_phase_seconds");
    expect(phase?.unit).toBe("s");
    expect(phase?.histogram?.dataPoints).toHaveLength(3);
    for (const { bucketCounts, count } of phase?.histogram?.dataPoints ?? [])
      expect([bucketCounts.reduce((sum, one) => sum + one, 0), count]).toEqual([1, 1]);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const names = [...text.matchAll(/^# TYPE (holdfast_\S+)/gm)].map(([, name]) => name);
    expect(here.metrics().map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});

/** Takes connections and says nothing. */
const hanging = async (): Promise<void> => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    cleanUps.push(() => void socket.destroy());
  });
  await listening(server);
};

/** A port where nobody listens any more. */
const dead = async (): Promise<void> => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  setEnvironment({ [endpoint]: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...soon });
  await new Promise((resolve) => server.close(resolve));
};

describe("a collector that is away", () => {
  it.each([
    ["dead", dead],
    ["hanging", hanging],
  ])("%s: no answer is late, it is told once a kind, and the server stops in time", async (_title, away) => {
    await away();
    setEnvironment({ OTEL_EXPORTER_OTLP_TIMEOUT: "200" });
    const { server, log } = await start();
    const told = () => log.filter(({ event }) => event === "telemetry.unavailable");
    const first = await work(
      server,
      Array.from({ length: 20 }, () => add),
    );
    await until(() => told().length === 2);
    const then = await work(
      server,
      Array.from({ length: 20 }, () => add),
    );
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(
      told()
        .map(({ fields }) => fields?.["of"])
        .sort(),
    ).toEqual(["metrics", "spans"]);
    expect(told()[0]?.fields?.["error"]).toBeInstanceOf(Error);
    // An answer waits for its commit, never for a collector that takes 200 ms to be given up.
    const median = [...first, ...then].toSorted((left, right) => left - right)[20] ?? Number.POSITIVE_INFINITY;
    expect(median).toBeLessThan(200);
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("tells its return", async () => {
    await dead();
    setEnvironment({ OTEL_EXPORTER_OTLP_TIMEOUT: "200", OTEL_METRICS_EXPORTER: "none" });
    const { server, log } = await start();
    await work(server, [add]);
    await until(() => log.some(({ event }) => event === "telemetry.unavailable"));
    const back = createHttpServer((_, response) => response.writeHead(200).end("{}"));
    const port = Number(new URL(process.env[endpoint] ?? "").port);
    await new Promise<void>((resolve) => back.listen(port, "127.0.0.1", resolve));
    cleanUps.push(() => new Promise((resolve) => back.close(resolve)));
    cleanUps.push(() => back.closeAllConnections());
    await work(server, [add]);
    await until(() => log.some(({ event }) => event === "telemetry.available"));
    expect(log.filter(({ event }) => event.startsWith("telemetry.")).map(({ event }) => event)).toEqual([
      "telemetry.unavailable",
      "telemetry.available",
    ]);
  });
});

it.each([
  [{}, { spans: false, metrics: false }],
  [{ OTEL_SERVICE_NAME: "x" }, { spans: false, metrics: false }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c" }, { spans: true, metrics: true }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { spans: false, metrics: false }],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c" }, { spans: true, metrics: false }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_METRICS_EXPORTER: "none" },
    { spans: true, metrics: false },
  ],
  [{ OTEL_METRICS_EXPORTER: "otlp" }, { spans: false, metrics: true }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_SDK_DISABLED: "true" },
    { spans: false, metrics: false },
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    { spans: true, metrics: true, foreignProtocol: "grpc" },
  ],
])("%j asks for %j", (environment, wanted) => {
  expect(telemetryWanted(environment)).toEqual({ foreignProtocol: undefined, ...wanted });
});
