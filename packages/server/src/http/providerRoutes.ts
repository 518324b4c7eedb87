/**
 * Signing in at a provider's own page: `/auth/<id>/start` sends a browser there, `/auth/<id>/callback` takes it back.
 *
 * Both are navigations, so every end is a redirect to the page: signed in, or with the reason as one word of a fixed
 * list, which the page says in a sentence. Invariants: an answer counts only with the ticket of the browser that began
 * (AU-5), which is gone after it; the page that is opened is one of ours; neither code nor state is logged.
 */
import { type Clock, ProtocolError } from "@holdfast/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import { type CookiePlace, cookieAttributes, cookieName, readTicketCookie, ticketCookieName } from "../auth/cookies.ts";
import { isPagePath } from "../auth/hostOrigin.ts";
import type { CodeFlow, SignInProblem } from "../auth/oidc/codeFlow.ts";
import { callbackPath, startPath } from "../auth/oidc/settings.ts";
import { openTicket, sealTicket, type Ticket, ticketLifeMs } from "../auth/oidc/ticket.ts";
import type { Auth } from "../auth/service.ts";
import type { Log } from "../observe/log.ts";
import { createAttempts } from "./attempts.ts";
import { forgetGrant } from "./grant.ts";
import { ownOriginOf } from "./guard.ts";

const ticketKeyPurpose = "holdfast sign-in under way";
const pathCharsMax = 1_000;

/** As `GET /api/session` names a provider to the page: a link with a name on it. */
export interface ProviderLink {
  readonly name: string;
  readonly start: string;
}

/** What the page is told in its address: see {@link SignInProblem}; `forbidden`: known, but may not. */
type Told = SignInProblem | "forbidden" | "crowded" | "unavailable";

export interface ProviderRoutesOptions {
  readonly auth: Auth;
  readonly flows: readonly CodeFlow[];
  readonly clock: Clock;
  readonly log: Log;
  readonly place: () => CookiePlace;
  readonly pagePaths: readonly string[];
  readonly isProxy: IsProxy;
}

export function linksOf(flows: readonly CodeFlow[]): readonly ProviderLink[] {
  return flows.map(({ settings: { id, name } }) => ({ name, start: startPath(id) }));
}

export function addProviderRoutes(app: FastifyInstance, options: ProviderRoutesOptions): void {
  const { auth, flows, clock, log, place, pagePaths, isProxy } = options;
  if (flows.length === 0) return;
  const key = auth.deriveKey?.(ticketKeyPurpose);
  if (key === undefined) throw new TypeError("sign-in at a provider needs a secret of the deployment");
  const attempts = createAttempts(clock);

  const toPage = (reply: FastifyReply, path: string): FastifyReply => reply.redirect(path, 303);
  const told = (reply: FastifyReply, problem: Told): FastifyReply => toPage(reply, `/?sign-in=${problem}`);

  const finish = async (flow: CodeFlow, request: FastifyRequest, ticket: Ticket | undefined) => {
    const { id } = flow.settings;
    const finished = await flow.finish(ownOriginOf(request) + callbackPath(id), queryOf(request), ticket);
    if (finished.kind === "failed") return { problem: finished.problem };
    const begun = await auth.signIn(finished.identity);
    return begun.kind === "refused" ? { problem: "forbidden" as const } : begun;
  };

  for (const flow of flows) {
    const { id } = flow.settings;
    app.get(startPath(id), async (request, reply) => {
      const asked = queryOf(request).get("return") ?? "/";
      const returnTo = isOwnPage(asked, pagePaths) ? asked : "/";
      const begun = await flow.begin(ownOriginOf(request) + callbackPath(id), returnTo);
      if (begun === "unreachable") return told(reply, "unreachable");
      const attributes = { ...cookieAttributes(place()), maxAge: ticketLifeMs / 1000 };
      reply.setCookie(ticketCookieName(place()), sealTicket(begun.ticket, key), attributes);
      return reply.redirect(begun.location, 303);
    });

    app.get(callbackPath(id), async (request, reply) => {
      const ticket = openTicket(readTicketCookie(request.raw.rawHeaders, place()), key, clock.now());
      reply.clearCookie(ticketCookieName(place()), cookieAttributes(place()));
      const address = clientAddress(request.raw.socket.remoteAddress, request.raw.rawHeaders, isProxy);
      if (attempts.begin(address) > 0) return told(reply, "crowded");
      try {
        const ended = await finish(flow, request, ticket);
        if ("problem" in ended) {
          log.info("auth.provider_sign_in_failed", { provider: id, problem: ended.problem });
          return told(reply, ended.problem);
        }
        attempts.giveBack(address);
        const maxAge = auth.sessionLifeMs / 1000;
        forgetGrant(request, reply, place());
        reply.setCookie(cookieName(place()), ended.cookie, { ...cookieAttributes(place()), maxAge });
        return toPage(reply, ticket?.returnTo ?? "/");
      } catch (error) {
        // The store is away: a person who comes by a link gets the page all the same, which says so.
        if (!(error instanceof ProtocolError) || error.code === "internal") throw error;
        attempts.giveBack(address);
        return told(reply, "unavailable");
      }
    });
  }
}

function queryOf(request: FastifyRequest): URLSearchParams {
  const { url = "" } = request.raw;
  return new URLSearchParams(url.includes("?") ? url.slice(url.indexOf("?") + 1) : "");
}

/** A page of ours and nothing else: no other host, no API. */
function isOwnPage(path: string, pagePaths: readonly string[]): boolean {
  return path.length <= pathCharsMax && /^\/(?!\/)[\w~/-]*$/.test(path) && isPagePath(path, pagePaths);
}
