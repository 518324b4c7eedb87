/**
 * Makes spans of what a node tells its observer: openings with their phases, requests, batches of the store.
 *
 * Life cycle of a span: what it is about has ended → it is made with its beginning and its end → the library sends it.
 * Names and attributes are the semantic conventions' where there are some. Invariants: an attribute is a name that this
 * program knows, a number or an id of ours; no token, user, address, parameter, text or message of an error is in one;
 * nothing is kept between two calls.
 */
import type { Clock } from "@holdfast/protocol";
import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { codeOf } from "../errorCode.ts";
import { type Observer, silentObserver } from "../observer.ts";

interface Past {
  readonly name: string;
  readonly kind: SpanKind;
  /** ms since 1970. */
  readonly from: number;
  readonly to: number;
  readonly attributes: Attributes;
  /** What went wrong, as a code. */
  readonly error?: string | undefined;
}

/** `storeKind`: as the conventions call the database. */
export function createSpansObserver(tracer: Tracer, clock: Pick<Clock, "now">, storeKind: string): Observer {
  const write = ({ name, kind, from, to, attributes, error }: Past, within = ROOT_CONTEXT) => {
    const all = { ...attributes, ...(error !== undefined && { "error.type": error }) };
    const span = tracer.startSpan(name, { kind, startTime: timeOf(from), attributes: all }, within);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(timeOf(to));
    return trace.setSpan(within, span);
  };

  const opening = (
    { at, phases, connection }: Parameters<Observer["welcomed"]>[0],
    to: number,
    error?: string,
  ): void => {
    const attributes = { "url.path": "/ws", "network.protocol.name": "websocket", "holdfast.connection": connection };
    const whole = write({ name: "GET /ws", kind: SpanKind.SERVER, from: at, to, attributes, error });
    const { hello, admitted, welcomed } = phases;
    const steps = [
      ["hello", 0, hello],
      ["admission", hello, admitted],
      ["verification", admitted, welcomed],
    ] as const;
    for (const [name, from, end] of steps)
      if (from !== undefined && end !== undefined)
        write({ name, kind: SpanKind.INTERNAL, from: at + from, to: at + end, attributes: {} }, whole);
  };

  return {
    ...silentObserver,
    welcomed: (told) => opening(told, told.at + (told.phases.welcomed ?? 0)),
    ended({ at, phases, connection, durationMs, code }) {
      if (phases.welcomed === undefined) opening({ at, phases, connection }, at + durationMs, String(code));
    },
    request(method, ms, error) {
      const to = clock.now();
      const attributes = { "rpc.system.name": "holdfast", "rpc.method": method };
      write({ name: method, kind: SpanKind.SERVER, from: to - ms, to, attributes, error });
    },
    store(operation, ms, failure, operations) {
      // Reads are too many to tell one by one; their times are a metric.
      if (operation !== "commit" && failure === undefined) return;
      const to = clock.now();
      const error = failure === undefined ? undefined : codeOf(failure);
      const attributes = {
        "db.system.name": storeKind,
        "db.operation.name": operation,
        // By the conventions a batch of one has none.
        ...(operations !== undefined && operations > 1 && { "db.operation.batch.size": operations }),
      };
      write({ name: operation, kind: SpanKind.CLIENT, from: to - ms, to, attributes, error });
    },
  };
}

/** Seconds and ns: a plain number would be taken for one since the start of the process where it is small. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
