/**
 * `POST /api/weather`: whoever wants to see what a bad network does to them gets it, on their own connections only.
 *
 * Over HTTP and not as a request of the session, since a request whose answer the weather swallows is repeated. With
 * several nodes it is this one's connections that are met: the answer says how many.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { CookiePlace } from "../auth/cookies.ts";
import { type Auth, errorOf } from "../auth/service.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Log } from "../observe/log.ts";
import { credentialsOf } from "./guard.ts";

const kinds = ["fair", "slow", "halfOpen", "cut", "expire"] as const;
const asked = z.strictObject({ weather: z.enum(kinds) });

export interface WeatherRoutesOptions {
  readonly auth: Auth;
  readonly disturb: Gateway["disturb"];
  readonly log: Log;
  readonly place: () => CookiePlace;
}

export function addWeatherRoutes(app: FastifyInstance, { auth, disturb, log, place }: WeatherRoutesOptions): void {
  app.post("/api/weather", async (request) => {
    const { ignoredCookie: _, ...credentials } = credentialsOf(request, place());
    const verdict = await auth.verify({ ...credentials, instance: credentials.browser ?? "http" });
    if (verdict.kind !== "accepted") throw errorOf(verdict);
    const body = asked.safeParse(request.body);
    if (!body.success)
      throw new ProtocolError("invalid_params", `The body must be { weather }, one of ${kinds.join(", ")}.`, {
        details: { field: "weather" },
      });
    const { weather } = body.data;
    const connections = disturb(verdict.principal, weather);
    log.info("weather.made", { user: verdict.principal.id, weather, connections });
    return { connections };
  });
}
