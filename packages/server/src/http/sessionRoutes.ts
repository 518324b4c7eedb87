/**
 * Signing in and out, and staying in (AU-7): `/api/session`, and `/api/sign-in-codes` for this machine's command line.
 *
 * A code comes in the address's fragment, which no server sees; the page posts it here and gets the session
 * cookie. Invariant: a used, an expired and an unknown code get the same answer by the same way through the
 * same transaction. Nothing here logs a body, a header or an address.
 */
import { type Clock, ProtocolError, type Random, type User, uuidv7 } from "@holdfast/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import {
  browserCookieName,
  type CookiePlace,
  cookieAttributes,
  cookieName,
  grantCookieName,
  readGrantCookie,
} from "../auth/cookies.ts";
import { signInCodeLifeMs } from "../auth/lives.ts";
import { type Auth, errorOf } from "../auth/service.ts";
import type { ProjectSignIn } from "../auth/supabase/projectSignIn.ts";
import type { Credentials } from "../auth/verdict.ts";
import type { Fault } from "../faults/fault.ts";
import type { FeatureFlags, Features } from "../flags/features.ts";
import type { Mode } from "../mode.ts";
import { createAttempts } from "./attempts.ts";
import { forgetGrant } from "./grant.ts";
import { credentialsOf } from "./guard.ts";
import { HttpError } from "./problem.ts";
import type { ProviderLink } from "./providerRoutes.ts";
import { unavailable } from "./supabaseRoutes.ts";

export interface SessionRoutesOptions {
  readonly auth: Auth;
  readonly providers: readonly ProviderLink[];
  /** Renews what a sign-in at a Supabase project gave; absent where there is none. */
  readonly project?: ProjectSignIn | undefined;
  /** Whether a code made on this machine signs somebody in. */
  readonly signInLinks: boolean;
  /** That can be asked for here. */
  readonly faults: readonly Fault[];
  readonly mode: Mode;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: () => CookiePlace;
  readonly isProxy: IsProxy;
  readonly health: () => { readonly store: string };
  readonly features: FeatureFlags["of"];
}

/** The answer of `GET` and `POST /api/session`: page and server never disagree about the mode (AU-6). */
export interface SessionAnswer {
  readonly mode: Mode;
  readonly user: User | null;
  readonly version: string;
  /** The kind of the store, for the page's footer: nobody takes one for another (F79). Said by `GET` only. */
  readonly store?: string;
  /** As `welcome` will tell them (OP-3): the page asks here whether its tabs share a socket, before it opens one. Said by `GET` only. */
  readonly features?: Features;
  /** A link signs somebody in, so people can be invited; absent where none does. Said by `GET` only. */
  readonly links?: true;
  /** E-mail and password sign somebody in, or a link by e-mail; absent where they do not. Said by `GET` only. */
  readonly passwords?: true;
  /** Nobody is signed in now, and a refresh may do it: ask for one first. Said by `GET` only. */
  readonly renewable?: true;
  /** Faults of the whole server that can be asked for (`weather.make`); absent but in development mode. Said by `GET` only. */
  readonly faults?: readonly Fault[];
  /** Where people may sign in besides; absent where there is nothing. Said by `GET` only. */
  readonly providers?: readonly ProviderLink[];
}

/** To a person who has a link, and to the command that asks for one. */
export const signInLinksOff =
  "Links sign nobody in at this server: sign in by a provider, or set signIn.links to true and start it again.";

const signIn = z.object({ code: z.string().min(1).max(200) });

export function addSessionRoutes(app: FastifyInstance, options: SessionRoutesOptions): void {
  const { auth, providers, project, signInLinks, mode, version, clock, random, place, isProxy, health, features } =
    options;
  const attempts = createAttempts(clock);
  const maxAge = auth.sessionLifeMs / 1000;

  const isRenewable = (request: FastifyRequest, user: User | null): boolean =>
    project !== undefined && user === null && readGrantCookie(request.raw.rawHeaders, place()) !== undefined;

  /** By the project that signed them in; undefined: by none. */
  const renew = async (
    request: FastifyRequest,
    reply: FastifyReply,
    credentials: Omit<Credentials, "instance">,
  ): Promise<User | undefined> => {
    if (project === undefined || credentials.cookies === undefined) return undefined;
    const attributes = { ...cookieAttributes(place()), maxAge };
    const ended = await project.renew(
      readGrantCookie(request.raw.rawHeaders, place()),
      { ...credentials, instance: "" },
      (sealed) => void reply.setCookie(grantCookieName(place()), sealed, attributes),
    );
    if (ended.kind === "none") return undefined;
    if (ended.kind === "unavailable") throw unavailable(ended);
    if (ended.kind === "refused") {
      // The project has put them out: so they are here, on every node.
      if (credentials.cookie !== undefined) await auth.signOut(credentials.cookie);
      for (const name of [grantCookieName(place()), cookieName(place())])
        reply.clearCookie(name, cookieAttributes(place()));
      throw new ProtocolError("unauthenticated", "The sign-in has ended where it was made; sign in again.");
    }
    reply.setCookie(cookieName(place()), ended.cookie, attributes);
    return ended.user;
  };

  app.get("/api/session", async (request, reply): Promise<SessionAnswer> => {
    const { ignoredCookie: _, ...credentials } = credentialsOf(request, place());
    const browser = credentials.browser ?? uuidv7(clock.now(), random.bytes(10));
    if (mode === "development" && credentials.browser === undefined) {
      reply.setCookie(browserCookieName(place()), browser, { ...cookieAttributes(place()), maxAge });
    }
    const user = await auth.userOf({ ...credentials, browser, instance: browser });
    const { store } = health();
    return {
      mode,
      user,
      version,
      store,
      ...(user !== null && { features: await features({ kind: "person", ...user }) }),
      ...(signInLinks && { links: true }),
      ...(project && { passwords: true }),
      ...(isRenewable(request, user) && { renewable: true }),
      ...(providers.length > 0 && { providers }),
      ...(options.faults.length > 0 && { faults: options.faults }),
    };
  });

  app.post("/api/session", async (request, reply): Promise<SessionAnswer> => {
    if (!signInLinks) throw new HttpError(403, "forbidden", signInLinksOff);
    const body = signIn.safeParse(request.body);
    if (!body.success)
      throw new ProtocolError("invalid_params", "The body must be { code }, a sign-in code.", {
        details: { field: "code" },
      });
    const address = clientAddress(request.raw.socket.remoteAddress, request.raw.rawHeaders, isProxy);
    const retryAfter = attempts.begin(address);
    if (retryAfter > 0)
      throw new ProtocolError("rate_limited", "Too many wrong sign-in codes from here.", { retryAfter });
    const redeemed = await auth.redeem(body.data.code).catch((error: unknown) => {
      attempts.giveBack(address);
      throw error;
    });
    if (redeemed.kind === "refused") {
      // In its own words: a person reads this, who has no request to send again.
      throw new HttpError(
        401,
        "unauthenticated",
        "This sign-in code does not work: it was used before, its time is over, or it never was. Ask who sent it for a new one, or run “npm run sign-in” on the server's machine.",
      );
    }
    attempts.giveBack(address);
    forgetGrant(request, reply, place());
    reply.setCookie(cookieName(place()), redeemed.cookie, { ...cookieAttributes(place()), maxAge });
    return { mode, user: redeemed.user, version };
  });

  app.post("/api/session/refresh", async (request, reply): Promise<SessionAnswer> => {
    const { ignoredCookie, ...credentials } = credentialsOf(request, place());
    if (ignoredCookie) throw new ProtocolError("forbidden", "Without an Origin the session cookie does not count.");
    const renewed = await renew(request, reply, credentials);
    if (renewed !== undefined) return { mode, user: renewed, version };
    const refreshed = await auth.refresh({ ...credentials, instance: "" });
    if (refreshed.kind === "refused")
      throw new ProtocolError("unauthenticated", "Nobody is signed in here, or the session is over.");
    if (refreshed.cookie !== undefined)
      reply.setCookie(cookieName(place()), refreshed.cookie, { ...cookieAttributes(place()), maxAge });
    return { mode, user: refreshed.user, version };
  });

  app.delete("/api/session", async (request, reply) => {
    const { cookie, ignoredCookie } = credentialsOf(request, place());
    // Saying 204 and ending nothing would be a lie.
    if (ignoredCookie) throw new ProtocolError("forbidden", "Without an Origin the session cookie does not count.");
    if (cookie !== undefined) await auth.signOut(cookie);
    forgetGrant(request, reply, place());
    return reply.clearCookie(cookieName(place()), cookieAttributes(place())).code(204).send();
  });

  app.post("/api/sign-in-codes", async (request) => {
    const { token } = credentialsOf(request, place());
    if (token === undefined)
      throw new ProtocolError("unauthenticated", "Send this machine's operator key as `Authorization: Bearer`.");
    const verdict = await auth.verify({ token, instance: "" });
    if (verdict.kind !== "accepted") throw errorOf(verdict);
    if (verdict.principal.role !== "admin")
      throw new ProtocolError("forbidden", `The role ${verdict.principal.role} may not make sign-in codes.`);
    if (!signInLinks) throw new HttpError(403, "forbidden", signInLinksOff);
    return { code: await auth.signInCode(), expiresIn: signInCodeLifeMs };
  });
}
