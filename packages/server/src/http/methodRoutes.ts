/**
 * The HTTP door to the methods: `POST /api/<method>`, the same declarations, roles, keys and answers as over
 * a socket (RQ-6).
 *
 * `Idempotency-Key` is a request's id, in the same key space: the same request over HTTP and over the socket
 * has one effect. Without it an effect gets a new id, and a repeat is a new request. A method whose answer means
 * accepted is answered 202: its outcome is told by events. Nothing here knows what a method does.
 */
import { type Clock, isUuid, ProtocolError, type Random, uuidv7 } from "@holdfast/protocol";
import type { FastifyInstance } from "fastify";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import type { CookiePlace } from "../auth/cookies.ts";
import type { Auth } from "../auth/service.ts";
import { errorOf } from "../auth/service.ts";
import type { AnyMethod } from "../methods/nodeMethod.ts";
import { createRequests, type MethodsContext } from "../methods/requests.ts";
import type { Outcome } from "../store/port.ts";
import { credentialsOf } from "./guard.ts";
import { openApi } from "./openApi.ts";

export interface MethodRoutesOptions {
  readonly auth: Auth;
  readonly context: MethodsContext;
  readonly methods: Readonly<Record<string, AnyMethod>>;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: () => CookiePlace;
  readonly isProxy: IsProxy;
}

export function addMethodRoutes(app: FastifyInstance, options: MethodRoutesOptions): void {
  const { auth, context, methods, version, clock, random, place, isProxy } = options;
  const description = openApi(methods, version);

  app.get("/openapi.json", async () => description);

  app.post<{ Params: { method: string } }>("/api/:method", async (request, reply) => {
    const { ignoredCookie: _, ...credentials } = credentialsOf(request, place());
    const key = request.headers["idempotency-key"];
    if (key !== undefined && !isUuid(key)) {
      throw new ProtocolError("bad_message", "Idempotency-Key must be one lower-case UUIDv7.");
    }
    const verdict = await auth.verify({ ...credentials, instance: credentials.browser ?? "http" });
    if (verdict.kind !== "accepted") throw errorOf(verdict);
    const id = key ?? uuidv7(clock.now(), random.bytes(10));
    const outcome = await new Promise<Outcome>((resolve) => {
      const params = (request.body ?? {}) as Record<string, unknown>;
      const { method } = request.params;
      const from = { address: clientAddress(request.raw.socket.remoteAddress, request.raw.rawHeaders, isProxy) };
      createRequests(context, () => verdict.principal, from).handle({ type: "request", id, method, params }, resolve);
    });
    if (!outcome.ok) throw ProtocolError.fromBody(outcome.error);
    const declared = methods[request.params.method];
    const status = declared !== undefined && "accepts" in declared && declared.accepts === true ? 202 : 200;
    return reply
      .code(status)
      .header("idempotency-key", id)
      .send(outcome.value ?? {});
  });
}
