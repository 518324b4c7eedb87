/**
 * Requests of one caller, over a socket or the HTTP door: role, params, then the store, in the order of arrival (RQ-1, RQ-4).
 *
 * A method of kind `effect` joins the next batch, with whatever its final answer is stored; a `read` waits
 * for this connection's earlier effects and runs beside the batches. Every request gets one `response`.
 */
import { createHash } from "node:crypto";
import {
  type Clock,
  type ErrorBody,
  isUuid,
  limits,
  ProtocolError,
  type Request,
  type Role,
  uuidv7TimeMs,
} from "@holdfast/protocol";
import canonicalize from "canonicalize";
import type { Origin } from "../observe/audit.ts";
import type { Log } from "../observe/log.ts";
import type { Observer } from "../observe/observer.ts";
import type { RefusedDeeds } from "../observe/refusedDeeds.ts";
import type { Method, Principal } from "../plugin.ts";
import type { Outcome, Store } from "../store/port.ts";
import type { Committer } from "../streams/committer.ts";
import type { AnyMethod } from "./nodeMethod.ts";
import { hasHalfCharacter, jsonProblem } from "./soundJson.ts";

const rank: Readonly<Record<Role, number>> = { agent: 0, viewer: 1, operator: 2, admin: 3 };

/** Whatever a client makes up is this to whoever measures (X14). */
const unknownMethod = "unknown";

const halfCharacter = "a text has half of a surrogate pair";

export type Answer = (outcome: Outcome) => void;

/** What a method needs of its server. */
export interface MethodsContext {
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonic">;
  readonly observer: Pick<Observer, "request">;
  readonly store: Pick<Store, "query">;
  readonly committer: Pick<Committer, "submit">;
  readonly refusedDeeds: RefusedDeeds;
  method(name: string): AnyMethod | undefined;
}

export interface Requests {
  handle(request: Request, answer: Answer): void;
}

/** `from`: where they come from, for the audit. */
export function createRequests(context: MethodsContext, caller: () => Principal, from: Origin): Requests {
  /** The last effect of this connection: reads that came later see it. */
  let effects: Promise<unknown> = Promise.resolve();

  const effect = (
    request: Request,
    params: unknown,
    refusal: ErrorBody | undefined,
    answer: Answer,
    tell?: Method["tell"],
  ): void => {
    const { id, method, after, deadline } = request;
    const by = caller().id;
    const operation = {
      kind: "request" as const,
      caller: caller(),
      from: { address: from.address, ...(from.id === undefined ? {} : { id: from.id }) },
      id,
      method,
      params,
      hash: hashOf(request),
      ...(after === undefined ? {} : { after }),
      ...(deadline === undefined ? {} : { deadline }),
      ...(refusal === undefined ? {} : { refusal }),
    };
    effects = new Promise<void>((resolve) => {
      context.committer.submit(operation, (outcome) => {
        resolve();
        if (outcome.ok) tell?.(context.log, { by, request: id, result: outcome.value as never });
        answer(outcome);
      });
    });
  };

  const read = async (request: Request, params: unknown, answer: Answer): Promise<void> => {
    await effects;
    try {
      const { outcome, faults } = await context.store.query(caller(), request.method, params);
      for (const fault of faults)
        context.log.error("operation.failed", { ref: fault.ref, operation: fault.operation, error: fault.error });
      answer(outcome);
    } catch (error) {
      const body =
        error instanceof ProtocolError
          ? error
          : new ProtocolError("internal", `${request.method} failed`, { cause: error });
      if (body.code === "internal") context.log.error("operation.failed", { operation: request.method, error });
      answer({ ok: false, error: body.toBody() });
    }
  };

  const tellRefused = (method: AnyMethod, request: Request, principal: Principal): void => {
    if (!("audited" in method) || method.audited === undefined) return;
    const parsed = method.params.safeParse(request.params);
    const asked = { caller: principal, method: request.method, params: parsed.data, from };
    context.refusedDeeds.refused(method.audited, asked);
  };

  return {
    handle(request, answer) {
      const { clock, observer } = context;
      const began = clock.monotonic();
      const named = context.method(request.method) === undefined ? unknownMethod : request.method;
      const bounded: Answer = (outcome) => {
        const said = withinBytes(outcome);
        observer.request(named, clock.monotonic() - began, said.ok ? undefined : said.error.code);
        answer(said);
      };
      if (!isUuid(request.id) || uuidv7TimeMs(request.id) === undefined) {
        bounded(
          refusal(new ProtocolError("bad_message", `"${request.id}" is not a UUIDv7`, { details: { field: "id" } })),
        );
        return;
      }
      const problem = jsonProblem(request.params) ?? (hasHalfCharacter(request.params) ? halfCharacter : undefined);
      if (problem !== undefined) {
        const details = { field: "params" };
        bounded(refusal(new ProtocolError("bad_message", `${request.method}: "params": ${problem}`, { details })));
        return;
      }
      const method = context.method(request.method);
      if (method === undefined) {
        effect(
          request,
          null,
          new ProtocolError("not_found", `there is no method "${request.method}"`).toBody(),
          bounded,
        );
        return;
      }
      const principal = caller();
      if (!isAllowed(method, principal)) {
        tellRefused(method, request, principal);
        bounded(
          refusal(
            new ProtocolError(
              "forbidden",
              `${request.method} needs the role ${method.role}; ${principal.name} has ${principal.role}`,
            ),
          ),
        );
        return;
      }
      const parsed = method.params.safeParse(request.params);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const field = issue?.path.join(".") ?? "";
        const error = new ProtocolError(
          "invalid_params",
          `${request.method}: ${field === "" ? "params" : `"${field}"`}: ${issue?.message ?? "wrong"}`,
          { details: { field } },
        );
        effect(request, null, error.toBody(), bounded);
        return;
      }
      if ("answer" in method) bounded({ ok: true, value: method.answer(parsed.data as never) });
      else if (method.kind === "read") void read(request, parsed.data, bounded);
      else effect(request, parsed.data, undefined, bounded, method.tell);
    },
  };
}

function isAllowed(method: AnyMethod, principal: Principal): boolean {
  if (principal.role === "agent") return "agents" in method && method.agents === true;
  return rank[principal.role] >= rank[method.role];
}

/** RQ-1: SHA-256 of canonical JSON (RFC 8785) of method and params, as they were sent. */
function hashOf(request: Request): string {
  return createHash("sha256")
    .update(canonicalize({ method: request.method, params: request.params }) ?? "")
    .digest("hex");
}

function refusal(error: ProtocolError): Outcome {
  return { ok: false, error: error.toBody() };
}

/** TR-3: larger results page. */
function withinBytes(outcome: Outcome): Outcome {
  if (!outcome.ok) return outcome;
  const bytes = Buffer.byteLength(JSON.stringify(outcome.value ?? null));
  if (bytes <= limits.responseBytesMax) return outcome;
  return refusal(
    new ProtocolError(
      "too_large",
      `the result has ${bytes} bytes, more than ${limits.responseBytesMax}; ask for fewer items`,
      { details: { limitBytes: limits.responseBytesMax } },
    ),
  );
}
