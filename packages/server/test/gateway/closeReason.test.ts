/** A close frame's reason is a text of at most 123 bytes, whatever was to be said (security F15). */
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { WebSocket } from "ws";
import type { ServerSocket, ServerSocketEvents } from "../../src/gateway/serverSocket.ts";
import { wrapWebSocket } from "../../src/gateway/wsSocket.ts";

const bytesMax = 123;
const nothing = (): void => {};
const events: ServerSocketEvents = {
  text: nothing,
  binary: nothing,
  bytes: nothing,
  drained: nothing,
  closed: nothing,
};

it.each([
  ["short", "gone"],
  ["of exactly 123 bytes", "x".repeat(bytesMax)],
  ["of 10,000 letters", "x".repeat(10_000)],
  ["of letters of two bytes", "ä".repeat(500)],
  ["of characters of four bytes, cut within none", `x${"😀".repeat(100)}`],
])("[security F15] one %s", (_title, reason) => {
  const said: unknown[] = [];
  const webSocket = Object.assign(new EventEmitter(), {
    close: (_code: number, text: unknown) => said.push(text),
  }) as unknown as WebSocket;
  let socket: ServerSocket | undefined;
  wrapWebSocket(webSocket, new PassThrough(), (wrapped) => {
    socket = wrapped;
    return events;
  });
  socket?.close(4400, reason);
  const [text] = said;
  expect(typeof text).toBe("string");
  expect(Buffer.byteLength(text as string)).toBeLessThanOrEqual(bytesMax);
  // What is left is the beginning, in whole characters.
  expect(reason.startsWith(text as string)).toBe(true);
  expect((text as string).isWellFormed()).toBe(true);
  expect(Buffer.byteLength(text as string)).toBeGreaterThan(Math.min(bytesMax, Buffer.byteLength(reason)) - 4);
});
