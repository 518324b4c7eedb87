/**
 * The bad network of the delivery check: between a session and the server, it cuts and stalls connections on a plan.
 *
 * It listens on a port of loopback that nobody else knows, takes upgrades in the clear there, and makes each anew to the
 * server, over TLS where that is the way, under the server's own name (AU-5). Each connection takes the next fault of
 * {@link faults}; one that ends by itself before leaves its fault to the next, and when all are done everything is passed
 * on. Invariant: bytes that are passed on are passed once and in order. Nothing of it is left after `close`.
 */
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Target } from "../target.ts";

/** In the order of connections. `afterBytes`: of what the server sends; where it is less, the fault comes after {@link faultMsMax}. */
const faults = [
  // Amid the `welcome`.
  { kind: "cut", afterBytes: 400 },
  // Amid the first events.
  { kind: "cut", afterBytes: 2_500 },
  { kind: "cut", afterBytes: 16_000 },
  { kind: "stall", afterBytes: 1_500 },
] as const;
type Fault = (typeof faults)[number];

export const faultMsMax = 700;
export const stallMs = 1_500;
const connectMsMax = 10_000;

export interface CuttingProxy {
  /** `ws://127.0.0.1:…/ws` */
  readonly url: string;
  readonly cuts: number;
  readonly stalls: number;
  /** Whether every fault of the plan has happened and is over. */
  readonly isHealthy: boolean;
  close(): void;
}

/** Starts it in front of the server. */
export async function startCuttingProxy(target: Target): Promise<CuttingProxy> {
  const sockets = new Set<Duplex>();
  const planned: Fault[] = [...faults];
  const counts = { cut: 0, stall: 0, over: 0 };
  const keep = <Kept extends Duplex>(socket: Kept): Kept => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };

  const server = createServer((_request, response) => response.writeHead(503).end());
  server.on("upgrade", (request, near, head) => {
    keep(near);
    const far = keep(connectTo(target));
    near.once("close", () => far.destroy());
    far.once("close", () => near.end());
    far.write(headOf(request, target));
    far.write(head);
    near.pipe(far);
    const fault = planned.shift();
    if (fault === undefined) return void far.pipe(near);
    failOnce(fault, near, far, {
      happens: () => {
        counts[fault.kind] += 1;
      },
      isOver: () => {
        counts.over += 1;
      },
      isMissed: () => void planned.unshift(fault),
    });
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", done);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy of the delivery check has no port");

  return {
    url: `ws://127.0.0.1:${address.port}/ws`,
    get cuts() {
      return counts.cut;
    },
    get stalls() {
      return counts.stall;
    },
    get isHealthy() {
      return counts.over === faults.length;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** What becomes of a planned fault: it happens and is over, or its connection ended before. */
interface Fate {
  happens(): void;
  isOver(): void;
  isMissed(): void;
}

/** Passes on what the server sends until the fault is due. */
function failOnce(fault: Fault, near: Duplex, far: Socket, fate: Fate): void {
  let left: number = fault.afterBytes;
  let isDecided = false;
  const decide = (): boolean => {
    if (isDecided) return false;
    isDecided = true;
    clearTimeout(timer);
    far.off("data", pass);
    return true;
  };
  const miss = (): void => {
    if (decide()) fate.isMissed();
  };
  const happen = (heldBack?: Buffer): void => {
    if (!decide()) return;
    fate.happens();
    if (fault.kind === "cut") {
      // What was passed on must arrive, so that the cut is where the plan has it.
      near.end(() => near.destroy());
      far.destroy();
      fate.isOver();
      return;
    }
    far.pause();
    // A stall holds bytes back and loses none.
    if (heldBack !== undefined && heldBack.length > 0) far.unshift(heldBack);
    setTimeout(() => {
      fate.isOver();
      far.pipe(near);
    }, stallMs);
  };
  const pass = (bytes: Buffer): void => {
    const passed = bytes.subarray(0, left);
    near.write(passed);
    left -= passed.length;
    if (left === 0) happen(bytes.subarray(passed.length));
  };
  const timer = setTimeout(() => happen(), faultMsMax);
  far.once("close", miss);
  near.once("close", miss);
  far.on("data", pass);
}

function connectTo({ host, port, secure }: Target): Socket {
  const place = { host, port };
  const named = /^[\d.]+$|:/.test(host) ? place : { ...place, servername: host };
  const socket = secure ? connectTls(named) : connectTcp(place);
  socket.setNoDelay(true);
  socket.setTimeout(connectMsMax, () => socket.destroy());
  socket.once(secure ? "secureConnect" : "connect", () => socket.setTimeout(0));
  return socket;
}

/** The request as it came, under the server's own name, and from the page that was asked for. */
function headOf({ rawHeaders, url = "/" }: IncomingMessage, { origin, page }: Target): string {
  const lines = [`GET ${url} HTTP/1.1`, `Host: ${new URL(origin).host}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!/^(host|origin)$/i.test(name)) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  if (page !== undefined) lines.push(`Origin: ${page}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
