/**
 * What stands before every route, the missing ones too: headers, Host and Origin, no credential in the query.
 *
 * Invariant: no handler runs, and no body is read, before {@link judgeRequest} has said yes (AU-5, W3).
 */

import { ProtocolError } from "@holdfast/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type CookiePlace, readCookies } from "../auth/cookies.ts";
import { authorizationTokens, hasTokenInQuery, tokenInQueryReason } from "../auth/explicitCredentials.ts";
import { valuesOf } from "../auth/headers.ts";
import { type HostOriginSettings, type Judgement, judgeRequest } from "../auth/hostOrigin.ts";
import type { Credentials } from "../auth/verdict.ts";
import { crossOriginHeaders } from "./crossOrigin.ts";
import { HttpError } from "./problem.ts";
import { securityHeaders } from "./securityHeaders.ts";

const decorator = "judgement";
type Admitted = Extract<Judgement, { ok: true }>;

/** Puts the guard before all routes of `app`. `settings` is asked at each request: the port is known late. */
export function addGuard(app: FastifyInstance, settings: () => HostOriginSettings): void {
  app.decorateRequest(decorator, null);
  app.addHook("onRequest", async (request, reply) => {
    const judgement = admit(request, reply, settings());
    if (judgement.isPreflight === true) return reply.code(204).send();
    request.setDecorator(decorator, judgement);
  });
}

/** Judges and sets the headers of the answer; throws where the request may not go on. */
export function admit(request: FastifyRequest, reply: FastifyReply, settings: HostOriginSettings): Admitted {
  reply.headers(securityHeaders());
  const { method = "", url = "", rawHeaders } = request.raw;
  const judgement = judgeRequest(
    { method, url, headers: rawHeaders, encrypted: isEncrypted(request.raw.socket) },
    settings,
  );
  if (!judgement.ok)
    throw new HttpError(judgement.status, judgement.status === 403 ? "forbidden" : "bad_message", judgement.reason);
  reply.headers(securityHeaders(judgement.ownOrigin));
  reply.headers(crossOriginHeaders(judgement));
  if (hasTokenInQuery(url)) throw new HttpError(400, "bad_message", tokenInQueryReason);
  return judgement;
}

/** Our own origin, as this request's client sees it: by a `Host` that was checked. */
export function ownOriginOf(request: FastifyRequest): string {
  return request.getDecorator<Admitted>(decorator).ownOrigin;
}

/** Whether it came to us over TLS: what a proxy says of its own clients is not asked. */
export function isEncrypted(socket: object): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/** Every credential of a request, and whether its cookie counts. Throws `ambiguous_credentials`. */
export function credentialsOf(
  request: FastifyRequest,
  place: CookiePlace,
): Omit<Credentials, "instance"> & { readonly ignoredCookie: boolean } {
  const tokens = authorizationTokens(request.raw.rawHeaders);
  if (tokens.length > 1)
    throw new ProtocolError("ambiguous_credentials", "Authorization came twice, with different tokens.");
  const [token] = tokens;
  const { session, browser } = readCookies(request.raw.rawHeaders, place);
  const { cookieCounts } = request.getDecorator<Admitted>(decorator);
  const cookies = cookieCounts ? valuesOf(request.raw.rawHeaders, "cookie").join("; ") : "";
  return {
    ...(token === undefined ? {} : { token }),
    ...(session === undefined || !cookieCounts ? {} : { cookie: session }),
    ...(browser === undefined || !cookieCounts ? {} : { browser }),
    ...(cookies === "" ? {} : { cookies }),
    ignoredCookie: session !== undefined && !cookieCounts,
  };
}
