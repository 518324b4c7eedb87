/**
 * A TCP proxy with faults, between one program and the server: it is the bad network of the tests with real processes.
 *
 *   healthy ⇄ a fault of {@link NetworkFault}, one at a time, until it is healed
 *
 * Every byte that is passed on is passed in order and once, as TCP does it: a fault may delay bytes, hold them, cut them
 * into pieces, or swallow them and all that follow, but a connection never has a hole in it. What was swallowed is not
 * heard of again: `heal` resets those connections, as a network that forgot them would. Each fault counts what it did,
 * so that one that met no traffic counts for nothing.
 */
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import type { NetworkFault } from "./networkFault.ts";
import { makePipe, type Pipe } from "./pipe.ts";

const host = "127.0.0.1";

export interface FaultyProxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections that were ever made, those that were refused at once not counted. */
  readonly made: number;
  /** Begins a fault; one that acts already is healed before. */
  begin(fault: NetworkFault): void;
  /** What the present fault did so far, in bytes, pieces or connections. 0: it took no effect yet. */
  effect(): number;
  /** Ends the present fault. What it did, as `effect` says it. */
  heal(): number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** The server's port of loopback, or the path of its socket. */
  readonly target: number | string;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /**
   * The server answers only to its own host and port (AU-5). A client that says the proxy's own is given the server's,
   * as by any reverse proxy, in the first bytes of a connection.
   */
  readonly rewritesHost?: boolean;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly up: Pipe;
  readonly down: Pipe;
}

/** Starts a proxy on a free port of loopback. */
export async function startFaultyProxy(options: ProxyOptions): Promise<FaultyProxy> {
  const { target, random } = options;
  const pairs = new Set<Pair>();
  let fault: NetworkFault | undefined;
  let effects = 0;
  let made = 0;
  const count = (amount: number): void => {
    effects += amount;
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    near.on("error", ignore);
    if (fault?.kind === "refuse") {
      count(1);
      near.resetAndDestroy();
      return;
    }
    made += 1;
    const far = connect(placeOf(target));
    far.on("error", ignore);
    const change = options.rewritesHost === true ? rewriteHost(Number(target)) : (bytes: Buffer): Buffer => bytes;
    const pair: Pair = {
      near,
      far,
      up: makePipe({ from: near, to: far, change, random, count }),
      down: makePipe({ from: far, to: near, change: (bytes) => bytes, random, count }),
    };
    pairs.add(pair);
    govern(pair);
    const over = (): void => {
      pairs.delete(pair);
      pair.up.stop();
      pair.down.stop();
      near.destroySoon();
      far.destroySoon();
    };
    near.once("close", over);
    far.once("close", over);
  });

  /** Tells both pipes of a pair what the present fault asks of them. */
  function govern({ up, down }: Pair): void {
    up.govern(fault !== undefined && goes(fault, "up") ? fault : undefined);
    down.govern(fault !== undefined && goes(fault, "down") ? fault : undefined);
  }

  function reset(those: (pair: Pair) => boolean): number {
    const found = [...pairs].filter(those);
    for (const { near, far } of found) {
      near.resetAndDestroy();
      // Only TCP has a reset.
      if (typeof target === "string") far.destroy();
      else far.resetAndDestroy();
    }
    return found.length;
  }

  function heal(): number {
    const done = effects;
    fault = undefined;
    effects = 0;
    for (const pair of pairs) govern(pair);
    reset(({ up, down }) => up.hasHole || down.hasHole);
    return done;
  }

  await listen(server);
  return {
    port: portOf(server),
    get connections() {
      return pairs.size;
    },
    get made() {
      return made;
    },
    begin(next) {
      heal();
      fault = next;
      for (const pair of pairs) govern(pair);
      if (next.kind === "reset" || next.kind === "refuse") count(reset(() => true));
      if (next.kind === "halfClose") {
        for (const { near, far } of pairs) (next.side === "client" ? near : far).end();
        count(pairs.size);
      }
    },
    effect: () => effects,
    heal,
    async close() {
      reset(() => true);
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Whether a fault concerns the bytes of one way. */
function goes(fault: NetworkFault, way: "up" | "down"): boolean {
  if (fault.kind === "stall" || fault.kind === "blackHole") return fault.way === way || fault.way === "both";
  return fault.kind === "latency" || fault.kind === "rate" || fault.kind === "slice";
}

function placeOf(target: number | string): NetConnectOpts {
  return typeof target === "string"
    ? { path: target, allowHalfOpen: true }
    : { port: target, host, noDelay: true, allowHalfOpen: true };
}

function rewriteHost(target: number): (bytes: Buffer) => Buffer {
  let isFirst = true;
  return (bytes) => {
    if (!isFirst) return bytes;
    isFirst = false;
    return Buffer.from(bytes.toString("latin1").replace(/^host: [^\r\n]*/im, `Host: ${host}:${target}`), "latin1");
  };
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, host, done);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`the proxy has no port: ${String(address)}`);
  return address.port;
}

/** A socket that is reset on purpose may say so. */
function ignore(): void {}
