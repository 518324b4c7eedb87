/**
 * A session for a browser tab, a Node process, a worker.
 *
 * One entry a kind of session, so that a page carries no more than it uses: this one, `./tabs` (one socket for all
 * tabs of a browser), `./durable` (requests that survive a reload), `./publisher` (agents, and who else publishes).
 */
export type * from "./api.ts";
export { createSession } from "./createSession.ts";
