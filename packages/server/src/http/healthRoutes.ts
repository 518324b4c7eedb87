/**
 * What other programs ask: is it alive (`/healthz`), may it be sent people (`/readyz`), how is it (`/metrics`).
 *
 * Invariants: none of them asks the store, so that an outage makes no answer slow and a crowd of monitors costs
 * nothing; figures are for this machine's own programs and for admins only, since they tell how a deployment is doing.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import type { CookiePlace } from "../auth/cookies.ts";
import { type Auth, errorOf } from "../auth/service.ts";
import { isLoopback } from "../loopback.ts";
import type { Mode } from "../mode.ts";
import { credentialsOf } from "./guard.ts";
import { HttpError } from "./problem.ts";

export type Readiness = "starting" | "ready" | "draining";

/** A node's health, as it knows it without asking anybody. */
export interface Health extends Readonly<Record<string, unknown>> {
  readonly store: string;
  readonly degraded?: { readonly reason: string; readonly since: number };
}

export interface HealthRoutesOptions {
  readonly auth: Auth;
  readonly mode: Mode;
  readonly version: string;
  readonly place: () => CookiePlace;
  readonly isProxy: IsProxy;
  readonly health: () => Health;
  readonly readiness: () => Readiness;
  /** The metrics in Prometheus' text format. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

const unavailable = 503;
const forwarded = ["forwarded", "x-forwarded-for", "x-real-ip"];

export function addHealthRoutes(app: FastifyInstance, options: HealthRoutesOptions): void {
  const { auth, mode, version, place, isProxy, health, readiness, metrics } = options;

  app.get("/healthz", async () => ({ ...health(), status: "ok", mode, version }));

  // A node without its store can still open pages and keep them (OP-4): it is ready, unless the store is asked for.
  app.get<{ Querystring: { require?: unknown } }>("/readyz", async (request, reply) => {
    const status = readiness();
    const { degraded } = health();
    const mayServe = status === "ready" && !(degraded !== undefined && request.query.require === "store");
    return reply
      .status(mayServe ? 200 : unavailable)
      .send({ status: mayServe || status !== "ready" ? status : "degraded", ...(degraded && { degraded }) });
  });

  app.get("/metrics", async (request, reply) => {
    if (!isOfThisMachine(request, isProxy)) {
      const { ignoredCookie: _, ...credentials } = credentialsOf(request, place());
      const verdict = await auth.verify({ ...credentials, instance: credentials.browser ?? "http" });
      if (verdict.kind !== "accepted") throw errorOf(verdict);
      if (verdict.principal.role !== "admin")
        throw new HttpError(403, "forbidden", "Metrics are for admins, and for programs on the server's own machine.");
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

/** Not by a proxy of this machine either, whose clients may be anybody. */
function isOfThisMachine(request: FastifyRequest, isProxy: IsProxy): boolean {
  if (forwarded.some((name) => request.headers[name] !== undefined)) return false;
  if (!isLoopback(request.hostname)) return false;
  return isLoopback(clientAddress(request.raw.socket.remoteAddress, request.raw.rawHeaders, isProxy));
}
