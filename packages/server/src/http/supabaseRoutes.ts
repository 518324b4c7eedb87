/**
 * Signing in at a Supabase project from this server's own page: by e-mail and password, or by a link in an e-mail.
 *
 * The password passes through here and is kept nowhere. The link comes back as a navigation, so its end is a redirect to
 * the page, with one word of the fixed list where nobody is signed in. Invariants: a wrong password, an unknown address
 * and an unknown person of the project are one answer; a link counts only in the browser that asked for it; at most as
 * many wrong ones an address and minute as with codes.
 */
import { type Clock, ProtocolError } from "@holdfast/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import {
  type CookiePlace,
  cookieAttributes,
  cookieName,
  grantCookieName,
  readTicketCookie,
  ticketCookieName,
} from "../auth/cookies.ts";
import { isPagePath } from "../auth/hostOrigin.ts";
import { callbackPath } from "../auth/oidc/settings.ts";
import { openTicket, sealTicket } from "../auth/oidc/ticket.ts";
import type { Auth } from "../auth/service.ts";
import type { Unavailable } from "../auth/supabase/project.ts";
import { linkTicketLifeMs, type ProjectEnded, type ProjectSignIn, supabaseId } from "../auth/supabase/projectSignIn.ts";
import type { Log } from "../observe/log.ts";
import { createAttempts } from "./attempts.ts";
import { ownOriginOf } from "./guard.ts";
import { HttpError } from "./problem.ts";

const ticketKeyPurpose = "holdfast sign-in under way";
const codeCharsMax = 4_096;

const email = z.string().trim().min(3).max(320).includes("@");
const withPassword = z.strictObject({ email, password: z.string().min(1).max(1_000) });
const withLink = z.strictObject({ email, returnTo: z.string().max(1_000).default("/") });

export interface SupabaseRoutesOptions {
  readonly auth: Auth;
  /** Absent: people of no project sign in here. */
  readonly project?: ProjectSignIn | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly place: () => CookiePlace;
  readonly pagePaths: readonly string[];
  readonly isProxy: IsProxy;
}

export function addSupabaseRoutes(app: FastifyInstance, options: SupabaseRoutesOptions): void {
  const { auth, project, clock, log, place, pagePaths, isProxy } = options;
  if (project === undefined) return;
  const key = auth.deriveKey?.(ticketKeyPurpose);
  if (key === undefined) throw new TypeError("sign-in at a project needs a secret of the deployment");
  const attempts = createAttempts(clock);
  const maxAge = auth.sessionLifeMs / 1_000;
  const keepIn = (reply: FastifyReply) => (sealed: string) =>
    void reply.setCookie(grantCookieName(place()), sealed, { ...cookieAttributes(place()), maxAge });
  const addressOf = ({ raw }: FastifyRequest): string =>
    clientAddress(raw.socket.remoteAddress, raw.rawHeaders, isProxy);
  const begin = (request: FastifyRequest): string => {
    const address = addressOf(request);
    const retryAfter = attempts.begin(address);
    if (retryAfter > 0)
      throw new ProtocolError("rate_limited", "Too many sign-ins from here did not hold.", { retryAfter });
    return address;
  };

  app.post("/api/sign-in/password", async (request, reply) => {
    const body = read(withPassword, request.body, "{ email, password }");
    const address = begin(request);
    const ended = await project.withPassword(body.email, body.password, keepIn(reply)).catch((error: unknown) => {
      attempts.giveBack(address);
      throw error;
    });
    if (ended.kind !== "refused") attempts.giveBack(address);
    return { user: userOf(ended, reply, place(), maxAge) };
  });

  app.post("/api/sign-in/link", async (request, reply) => {
    const { email: to, returnTo } = read(withLink, request.body, "{ email }");
    // Each is an e-mail to somebody: a link asked for counts, whether or not it is used.
    begin(request);
    const callback = ownOriginOf(request) + callbackPath(supabaseId);
    const sent = await project.sendLink(to, callback, isPagePath(returnTo, pagePaths) ? returnTo : "/");
    if (sent.kind === "unavailable") throw unavailable(sent);
    reply.setCookie(ticketCookieName(place()), sealTicket(sent.ticket, key), {
      ...cookieAttributes(place()),
      maxAge: linkTicketLifeMs / 1_000,
    });
    return reply.code(202).send({});
  });

  app.get<{ Querystring: Record<string, unknown> }>(callbackPath(supabaseId), async (request, reply) => {
    const told = (problem: string): FastifyReply => reply.redirect(`/?sign-in=${problem}`, 303);
    const ticket = openTicket(readTicketCookie(request.raw.rawHeaders, place()), key, clock.now());
    const { code } = request.query;
    // A link that is used or over comes back with an error, whichever browser opens it.
    if (ticket === undefined || ticket.provider !== supabaseId) return told("elsewhere");
    if (typeof code !== "string" || code === "" || code.length > codeCharsMax) return told("over");
    const address = addressOf(request);
    if (attempts.begin(address) > 0) return told("crowded");
    try {
      const ended = await project.withCode(code, ticket, keepIn(reply));
      if (ended.kind === "signedIn") {
        attempts.giveBack(address);
        reply.clearCookie(ticketCookieName(place()), cookieAttributes(place()));
        reply.setCookie(cookieName(place()), ended.cookie, { ...cookieAttributes(place()), maxAge });
        return reply.redirect(ticket.returnTo, 303);
      }
      log.info("auth.provider_sign_in_failed", { provider: supabaseId, problem: ended.kind });
      if (ended.kind === "unavailable") return told("unreachable");
      return told(ended.why === "forbidden" ? "forbidden" : "over");
    } catch (error) {
      // The store is away: a person who comes by a link gets the page all the same, which says so.
      if (!(error instanceof ProtocolError) || error.code === "internal") throw error;
      return told("unavailable");
    }
  });
}

/** Sets the session's cookie. Throws where nobody is signed in. */
function userOf(ended: ProjectEnded, reply: FastifyReply, place: CookiePlace, maxAge: number) {
  if (ended.kind === "unavailable") throw unavailable(ended);
  if (ended.kind === "refused") throw new HttpError(401, "unauthenticated", refusals[ended.why]);
  reply.setCookie(cookieName(place), ended.cookie, { ...cookieAttributes(place), maxAge });
  return ended.user;
}

const refusals = {
  credentials: "E-mail address and password do not belong together, or are not known.",
  unconfirmed: "This e-mail address is not confirmed yet: open the link that was sent to it.",
  forbidden: "You are known, but have no account here. Ask an admin.",
} as const;

export function unavailable({ retryAfter, why }: Unavailable): ProtocolError {
  return why === "limited"
    ? new ProtocolError("rate_limited", "The sign-in service asks for patience.", { retryAfter })
    : new ProtocolError("auth_unavailable", "The sign-in service does not answer now.", { retryAfter });
}

function read<Body>(shape: z.ZodType<Body>, body: unknown, what: string): Body {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new ProtocolError("invalid_params", `The body must be ${what}.`, { details: { field } });
}
