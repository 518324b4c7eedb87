/**
 * From an HTTP upgrade to a connection: a thin shell over `ws` in its `noServer` form.
 *
 * What fails the upgrade is only what AU-2 names: a foreign Host or Origin, a token in the query, a wrong
 * subprotocol; a wrong credential does not, since a browser cannot see why an upgrade failed. Every socket
 * has an `error` listener before anything is read of it.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ErrorCode, limits } from "@holdfast/protocol";
import { WebSocketServer } from "ws";
import { clientAddress, type IsProxy } from "../auth/clientAddress.ts";
import type { HostOriginSettings } from "../auth/hostOrigin.ts";
import { judgeUpgrade } from "../auth/upgrade.ts";
import { isEncrypted } from "../http/guard.ts";
import { HttpError, problemOf, problemType } from "../http/problem.ts";
import { securityHeaders } from "../http/securityHeaders.ts";
import type { Observer } from "../observe/observer.ts";
import type { Gateway } from "./gateway.ts";
import type { UpgradeCredentials } from "./opening.ts";
import { wrapWebSocket } from "./wsSocket.ts";

const path = "/ws";
/** RFC 6455; `ws` would take 8 and other ways to write 13 too (W9). */
const webSocketVersion = "13";
/** Small inbound messages: a peer that sends one byte a fragment is closed early (security F1). */
const fragmentsMax = 1_024;

export interface Upgrade {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** CL-9: from now on upgrades are refused with 503. */
  stop(): void;
}

export function createUpgrade(
  gateway: Gateway,
  settings: () => HostOriginSettings,
  isProxy: IsProxy,
  observer: Observer,
): Upgrade {
  const options = {
    noServer: true,
    clientTracking: false,
    // CL-1, also where `ws` itself closes for a broken frame. Its types do not know this one yet.
    closeTimeout: limits.endTcpAfterMs,
    perMessageDeflate: false,
    maxPayload: limits.frameBytesMax,
    maxFragments: fragmentsMax,
    handleProtocols: (offered: ReadonlySet<string>) => (offered.has(limits.subprotocol) ? limits.subprotocol : false),
  };
  const webSockets = new WebSocketServer(options);
  let stopped = false;

  const turnAway = (socket: Duplex, ...why: Refusal): void => {
    const [status] = why;
    observer.upgrade(status);
    refuse(socket, ...why);
  };

  /** AD-3, CL-4: for programs; a browser sees only that it did not open. */
  const turnAwayForNow = (socket: Duplex, reason: string, retryAfter: number): void =>
    turnAway(socket, 503, reason, { "Retry-After": String(Math.ceil(retryAfter / 1_000)) }, retryAfter);

  const accept = (request: IncomingMessage, socket: Duplex, head: Buffer, upgrade: UpgradeCredentials): void => {
    // No function that lives as long as the connection may hold the request: it is a KiB.
    observer.upgrade();
    const address = clientAddress(request.socket.remoteAddress, request.rawHeaders, isProxy);
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      wrapWebSocket(webSocket, socket, (wrapped) => gateway.accept(wrapped, upgrade, address)),
    );
  };

  return {
    handle(request, socket, head) {
      socket.on("error", () => socket.destroy());
      if (stopped) return turnAwayForNow(socket, "The server stops; come back in a moment.", gateway.awayMs);
      const url = request.url ?? "/";
      const judgement = judgeUpgrade(
        { method: request.method ?? "GET", url, headers: request.rawHeaders, encrypted: isEncrypted(socket) },
        settings(),
      );
      if (judgement.kind === "refused") {
        turnAway(socket, judgement.status, judgement.reason);
        return;
      }
      if (url.split("?", 1)[0] !== path) {
        turnAway(socket, 404, `Sockets are opened at ${path}.`);
        return;
      }
      if (request.headers["sec-websocket-version"] !== webSocketVersion) {
        const headers = { "Sec-WebSocket-Version": webSocketVersion };
        turnAway(socket, 400, `Sec-WebSocket-Version must be ${webSocketVersion}.`, headers);
        return;
      }
      if (request.httpVersion !== "1.1") {
        turnAway(socket, 400, "An upgrade is HTTP/1.1.");
        return;
      }
      if ("content-length" in request.headers || "transfer-encoding" in request.headers) {
        turnAway(socket, 400, "An upgrade has no body.");
        return;
      }
      const full = gateway.refusal();
      if (full !== undefined) {
        turnAwayForNow(socket, "Too many are opening a connection; come back when it is your turn.", full);
        return;
      }
      accept(request, socket, head, { ...judgement.credentials, ambiguous: judgement.ambiguous });
    },
    stop() {
      stopped = true;
    },
  };
}

/** Status, why, further headers, and ms after which to come back. */
type Refusal = [status: number, reason: string, headers?: Readonly<Record<string, string>>, retryAfter?: number];

function refuse(socket: Duplex, ...[status, reason, headers = {}, retryAfter]: Refusal): void {
  const problem = {
    ...problemOf(new HttpError(status, codeOf(status), reason), randomUUID()),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
  const body = JSON.stringify(problem);
  const lines = Object.entries({
    ...securityHeaders(),
    ...headers,
    connection: "close",
    "content-type": problemType,
    "content-length": String(Buffer.byteLength(body)),
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`HTTP/1.1 ${status} ${problem.title}\r\n${head}\r\n${body}`);
  // A peer that keeps its side open must not hold up our exit (CL-9).
  (socket as Socket).destroySoon();
}

function codeOf(status: number): ErrorCode {
  if (status === 503) return "unavailable";
  if (status === 404) return "not_found";
  return status === 403 ? "forbidden" : "bad_message";
}
