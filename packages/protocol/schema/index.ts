/**
 * The wire as Zod schemas: one source for types and validation, used by the server and by tests.
 *
 * A browser never loads this (Zod costs 28–92 KB gzipped); the client reads the server's messages with
 * small readers of its own, and a test proves on generated messages that both accept the same.
 */
import type { z } from "zod";
import * as liveness from "./liveness.ts";
import * as opening from "./opening.ts";
import * as reading from "./reading.ts";
import * as writing from "./writing.ts";

export * from "./audit.ts";
export * from "./common.ts";
export * from "./diagnostics.ts";
export * from "./liveness.ts";
export * from "./opening.ts";
export * from "./people.ts";
export * from "./reading.ts";
export * from "./writing.ts";

/** What a client may send; everything else is answered `bad_message` (TR-4). */
export const clientMessages = {
  hello: opening.hello,
  auth: opening.auth,
  subscribe: reading.subscribe,
  unsubscribe: reading.unsubscribe,
  ack: reading.ack,
  signal: reading.signal,
  request: writing.request,
  publish: writing.publish,
  ping: liveness.ping,
  leave: liveness.leave,
} as const;
export type ClientMessageType = keyof typeof clientMessages;
export type ClientMessage = { [Type in ClientMessageType]: z.infer<(typeof clientMessages)[Type]> }[ClientMessageType];

/** What a server may send; a client ignores and counts every other `type` (TR-5). */
export const serverMessages = {
  welcome: opening.welcome,
  agent: opening.agent,
  authenticated: opening.authenticated,
  expiring: opening.expiring,
  subscribed: reading.subscribed,
  snapshot: reading.snapshot,
  events: reading.events,
  pending: reading.pending,
  signal: reading.heardSignal,
  refused: reading.refused,
  response: writing.response,
  published: writing.published,
  pong: liveness.pong,
  bye: liveness.bye,
  error: liveness.error,
} as const;
export type ServerMessageType = keyof typeof serverMessages;
export type ServerMessage = { [Type in ServerMessageType]: z.infer<(typeof serverMessages)[Type]> }[ServerMessageType];
