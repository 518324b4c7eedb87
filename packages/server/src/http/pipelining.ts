/**
 * Requests that follow each other on one socket before the first is answered: few, or none is begun (security F13).
 *
 * Node reads a chunk of requests at once and begins them all, and the answers of all wait in memory for a client
 * that need not read any. Browsers and proxies send one at a time. Invariant: of one socket at most
 * {@link underWayMax} requests are at work or unread at a time. What is over it gets 429, which is small.
 */
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { HttpError } from "./problem.ts";

/** Requests of one socket. */
export const underWayMax = 8;
/** Its own answers are all that it waits for. */
const retryAfterMs = 1_000;

export function addPipeliningLimit(app: FastifyInstance): void {
  const underWay = new WeakMap<Socket, number>();
  app.addHook("onRequest", async (request, reply) => {
    const { socket } = request.raw;
    const before = underWay.get(socket) ?? 0;
    if (before >= underWayMax)
      throw new HttpError(
        429,
        "too_many",
        `This connection has ${underWayMax} requests that are not answered yet; read their answers, then ask again.`,
        retryAfterMs,
      );
    underWay.set(socket, before + 1);
    // Also where the socket ended first.
    reply.raw.once("close", () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
  });
}
