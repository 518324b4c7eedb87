/**
 * The HTTP door: session, health, the page. The upgrade at `/ws` is the gateway's, on the same server.
 *
 * Life cycle: made, then listened with by `createServer`, closed by it. Invariants: every request, also one
 * for nothing and one that cannot be parsed, passes the guard or gets a problem document; no answer carries a
 * stack, a query or a path of this machine; every wait for a client is bounded (security F4). Log lines name the route,
 * never the address, which may hold what must not be kept (W5).
 */
import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import fastifyCookie from "@fastify/cookie";
import { type Clock, type Random, uuidv7 } from "@holdfast/protocol";
import fastify, {
  type FastifyHttpOptions,
  type FastifyHttpsOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { createRetryLaw, type RetryLaw } from "../admission/retryLaw.ts";
import type { IsProxy } from "../auth/clientAddress.ts";
import type { HostOriginSettings } from "../auth/hostOrigin.ts";
import type { CodeFlow } from "../auth/oidc/codeFlow.ts";
import type { Auth } from "../auth/service.ts";
import type { ProjectSignIn } from "../auth/supabase/projectSignIn.ts";
import type { Fault } from "../faults/fault.ts";
import type { FeatureFlags } from "../flags/features.ts";
import type { AnyMethod } from "../methods/nodeMethod.ts";
import type { MethodsContext } from "../methods/requests.ts";
import type { Mode } from "../mode.ts";
import type { Log } from "../observe/log.ts";
import { addFeedRoutes, type FeedRoutesOptions } from "./feedRoutes.ts";
import { addGuard, admit } from "./guard.ts";
import { addHealthRoutes, type HealthRoutesOptions } from "./healthRoutes.ts";
import { addMethodRoutes } from "./methodRoutes.ts";
import { addPageRoutes, sendNotFoundPage, wantsPage } from "./pageRoutes.ts";
import { addPipeliningLimit } from "./pipelining.ts";
import { HttpError, type Problem, problemOf, problemType } from "./problem.ts";
import { addProviderRoutes, linksOf } from "./providerRoutes.ts";
import { securityHeaders } from "./securityHeaders.ts";
import { addSessionRoutes } from "./sessionRoutes.ts";
import { addSupabaseRoutes } from "./supabaseRoutes.ts";
import { addWeatherRoutes, type WeatherRoutesOptions } from "./weatherRoutes.ts";

/** security F4: for all headers of a request, for the whole of it, and how often Node looks. */
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const connectionsCheckingMs = 1_000;
const keepAliveTimeoutMs = 5_000;
const bodyBytesMax = 64 * 1024;

export interface HttpOptions {
  /** Asked at each request: the port is known only after listening. See `hostOriginSettings`. */
  readonly settings: () => HostOriginSettings;
  readonly auth: Auth;
  /** Where people may sign in at a provider's page. */
  readonly flows: readonly CodeFlow[];
  /** The Supabase project whose people sign in by password or e-mail; absent where there is none. */
  readonly project?: ProjectSignIn | undefined;
  /** Whether a code made on this machine signs somebody in. */
  readonly signInLinks: boolean;
  /** CL-4: the node's budget, which whoever was refused comes back at. */
  readonly openingsPerSecond: number;
  /** Faults of the whole server that can be asked for. */
  readonly faults: readonly Fault[];
  /** The app's methods, and what they need. */
  readonly methods: Readonly<Record<string, AnyMethod>>;
  readonly context: MethodsContext;
  /** What each person may use, as `welcome` tells it. */
  readonly features: FeatureFlags["of"];
  /** Streams in the words of other protocols; none where absent. */
  readonly feeds?: Pick<FeedRoutesOptions, "feeds" | "hub" | "store" | "family">;
  /** Whose word on the client's address is believed. */
  readonly isProxy: IsProxy;
  /** Ends TLS here. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly mode: Mode;
  readonly version: string;
  /** Folder of the built page; none serves none. */
  readonly page?: string;
  /** The page's own addresses: see `isPagePath`. */
  readonly pagePaths: readonly string[];
  readonly disturb: WeatherRoutesOptions["disturb"];
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly health: HealthRoutesOptions["health"];
  readonly readiness: HealthRoutesOptions["readiness"];
  readonly metrics: HealthRoutesOptions["metrics"];
}

/** An instance that does not listen yet. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const { settings, auth, flows, methods, context, version, page, pagePaths, log, clock, random } = options;
  const newRef = (): string => uuidv7(clock.now(), random.bytes(10));
  const law = createRetryLaw(options.openingsPerSecond);
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = spread(problemOf(error, request.id), law, clock);
    const about = { ref: problem.ref, method: request.method, route: request.routeOptions.url, status: problem.status };
    if (problem.status === 500) log.error("http.failed", { ...about, error });
    else log.debug("http.refused", about);
    return sendProblem(reply, problem);
  };

  const app = makeApp(options.tls, {
    logger: false,
    genReqId: newRef,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    frameworkErrors: (error, request, reply) => void answer(guarded(error, request, reply, settings()), request, reply),
    clientErrorHandler: (error, socket) => refuseUnreadable(error.code, socket, newRef()),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  readJsonOnly(app);
  addGuard(app, settings);
  addPipeliningLimit(app);
  app.register(fastifyCookie);
  app.setErrorHandler(answer);
  app.setNotFoundHandler((request, reply) =>
    page !== undefined && wantsPage(request)
      ? sendNotFoundPage(reply, page)
      : answer(new HttpError(404, "not_found", "There is nothing at this address."), request, reply),
  );

  addHealthRoutes(app, { ...options, place: settings });
  app.get("/ws", async (_request, reply) => {
    reply.header("upgrade", "websocket");
    throw new HttpError(
      426,
      "bad_message",
      "This address is for WebSockets: send an upgrade with the subprotocol holdfast.v1.",
    );
  });
  const { isProxy } = options;
  addSessionRoutes(app, { ...options, providers: linksOf(flows), place: settings });
  addProviderRoutes(app, { auth, flows, clock, log, place: settings, pagePaths, isProxy });
  addSupabaseRoutes(app, { ...options, place: settings });
  addWeatherRoutes(app, { ...options, place: settings });
  addMethodRoutes(app, { auth, context, methods, version, clock, random, place: settings, isProxy });
  if (options.feeds !== undefined) addFeedRoutes(app, { ...options.feeds, auth, clock, place: settings });
  if (page !== undefined) addPageRoutes(app, page, pagePaths);
  return app;
}

/** Over TLS or not: the same routes, and the same limits on how long a client may take. */
function makeApp(tls: HttpOptions["tls"], options: FastifyHttpOptions<Server>): FastifyInstance {
  const server = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: connectionsCheckingMs,
    // A request without Host is refused by the guard, in our words.
    requireHostHeader: false,
  };
  if (tls === undefined) return fastify({ ...options, http: server });
  const encrypted = { ...options, https: { ...server, ...tls } } as unknown as FastifyHttpsOptions<HttpsServer>;
  // To what stands on it the two are one: requests and answers have the same shape.
  return fastify(encrypted) as unknown as FastifyInstance;
}

/** Params are judged by the methods' own schemas; Fastify's compilers would be a hundred modules that no start needs. */
function noSchemas(): never {
  throw new TypeError("a route has a schema: no route of this server has one, its methods judge what they are given");
}

/** The one body that there is. Its content type is the guard's to judge; no other parser ever runs (security F12). */
function readJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/** A request that the router could not read has met no hook yet: it meets the guard here. */
function guarded(error: unknown, request: FastifyRequest, reply: FastifyReply, settings: HostOriginSettings): unknown {
  try {
    admit(request, reply, settings);
    return error;
  } catch (refusal) {
    return refusal;
  }
}

/** CL-4: whom a provider keeps waiting, all were told the same time; they come back one after the other. */
function spread(problem: Problem, law: RetryLaw, clock: Pick<Clock, "monotonic">): Problem {
  if (problem.code !== "auth_unavailable") return problem;
  return { ...problem, retryAfter: law.next(clock.monotonic(), problem.retryAfter) };
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfter !== undefined) reply.header("retry-after", Math.ceil(problem.retryAfter / 1000));
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  return reply.code(problem.status).type(problemType).header("cache-control", "no-store").send(JSON.stringify(problem));
}

/** What Node could not parse, or waited for too long: answered on the bare socket, then closed. */
function refuseUnreadable(code: string, socket: Socket, ref: string): void {
  const status = code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
  const detail =
    status === 408 ? "The request took too long to arrive." : "This is not an HTTP request that this server reads.";
  if (socket.writable) {
    const problem = problemOf(new HttpError(status, "bad_message", detail), ref);
    const body = JSON.stringify(problem);
    const headers = {
      ...securityHeaders(),
      "content-type": problemType,
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`HTTP/1.1 ${status} ${problem.title}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  }
  socket.destroy();
}
