/** What a browser keeps of a Supabase project goes with the sign-in that it was for. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type CookiePlace, cookieAttributes, grantCookieName, readGrantCookie } from "../auth/cookies.ts";

/** Whoever was here by a project before is not who comes now. */
export function forgetGrant(request: FastifyRequest, reply: FastifyReply, place: CookiePlace): void {
  if (readGrantCookie(request.raw.rawHeaders, place) !== undefined)
    reply.clearCookie(grantCookieName(place), cookieAttributes(place));
}
