/**
 * A TCP proxy with faults: between an agent or a page and the server, it can go dead in three ways, or be slow.
 *
 * Life cycle: `open` → `cut` (all connections destroyed, new ones refused), `blackhole` (connections stay open, every
 * byte is swallowed) or `deafen` (the same, of what the server says only: it hears, and its answers are lost) → `heal` →
 * `open`. Connections that lost bytes are destroyed by `heal`, as a network that forgot them would. `slow` holds back
 * each piece, either way, and each connection's beginning. Invariant: a connection delivers its bytes in order and
 * without a hole. The counters prove that a fault took effect.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { pause } from "./waiting.ts";

export interface ProxyCounters {
  readonly connections: number;
  readonly bytesForwarded: number;
  /** Destroyed by `cut`. */
  readonly connectionsCut: number;
  /** Came while cut. */
  readonly connectionsRefused: number;
  readonly bytesSwallowed: number;
  /** Pieces that were held back. */
  readonly piecesSlowed: number;
}

export interface Proxy {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly counters: ProxyCounters;
  /** New connections go there. */
  retarget(port: number): void;
  cut(): void;
  blackhole(): void;
  deafen(): void;
  /** From now on each piece waits for `drawMs()`, in its order; undefined: no longer. */
  slow(drawMs: (() => number) | undefined): void;
  heal(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  hasHole: boolean;
}

const host = "127.0.0.1";

/** Starts a proxy on a free port of loopback, to `targetPort` of loopback. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>();
  const counters = {
    connections: 0,
    bytesForwarded: 0,
    connectionsCut: 0,
    connectionsRefused: 0,
    bytesSwallowed: 0,
    piecesSlowed: 0,
  };
  let target = targetPort;
  let fault: "open" | "cut" | "blackhole" | "deaf" = "open";
  let drawMs: (() => number) | undefined;

  const server = createServer({ noDelay: true }, (near) => {
    if (fault === "cut") {
      counters.connectionsRefused += 1;
      near.on("error", ignore);
      near.resetAndDestroy();
      return;
    }
    counters.connections += 1;
    const pair: Pair = { near, far: connect({ port: target, host, noDelay: true }), hasHole: false };
    pairs.add(pair);
    forward(
      pair,
      near,
      pair.far,
      rewriteHost(() => target),
    );
    forward(pair, pair.far, near, (bytes) => bytes);
  });

  function forward(pair: Pair, from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void {
    const isAnswer = from === pair.far;
    const hold = inOrder(() => drawMs?.());
    from.on("data", (bytes: Buffer) => {
      hold((isHeld) => {
        if (isHeld) counters.piecesSlowed += 1;
        if (fault === "blackhole" || (fault === "deaf" && isAnswer)) {
          counters.bytesSwallowed += bytes.length;
          pair.hasHole = true;
        }
        // What is heard after a hole would be bytes with one; what is said the other way has none.
        if (pair.hasHole && (isAnswer || fault !== "deaf")) return;
        counters.bytesForwarded += bytes.length;
        if (!to.write(change(bytes))) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      });
    });
    from.on("error", ignore);
    from.on("close", () => {
      pairs.delete(pair);
      hold(() => void to.destroySoon());
    });
  }

  function destroy(those: (pair: Pair) => boolean): number {
    const found = [...pairs].filter(those);
    for (const { near, far } of found) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return found.length;
  }

  const port = await listen(server);
  return {
    port,
    url: `http://${host}:${port}`,
    counters,
    retarget: (next) => {
      target = next;
    },
    cut: () => {
      fault = "cut";
      counters.connectionsCut += destroy(() => true);
    },
    blackhole: () => {
      fault = "blackhole";
    },
    deafen: () => {
      fault = "deaf";
    },
    slow: (draw) => {
      drawMs = draw;
    },
    heal: () => {
      fault = "open";
      destroy((pair) => pair.hasHole);
    },
    close: async () => {
      destroy(() => true);
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Runs what it is given after a drawn wait each, and never before what came earlier; at once where nothing is drawn. */
function inOrder(drawMs: () => number | undefined): (run: (isHeld: boolean) => void) => void {
  let last: Promise<void> | undefined;
  return (run) => {
    const ms = drawMs();
    if (ms === undefined && last === undefined) {
      run(false);
      return;
    }
    const before = last ?? Promise.resolve();
    const mine: Promise<void> = before
      .then(() => pause(ms ?? 0))
      .then(() => {
        if (last === mine) last = undefined;
        run(true);
      });
    last = mine;
  };
}

/**
 * The server answers only to its own host and port (AU-5): as any reverse proxy must, this one names it. Only
 * the first bytes of a connection can hold the head of an upgrade.
 */
export function rewriteHost(port: () => number): (bytes: Buffer) => Buffer {
  let isFirst = true;
  return (bytes) => {
    if (!isFirst) return bytes;
    isFirst = false;
    return Buffer.from(bytes.toString("latin1").replace(/^host: [^\r\n]*/im, `Host: ${host}:${port()}`), "latin1");
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, host, done);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`the proxy has no port: ${String(address)}`);
  return address.port;
}

/** A socket that is destroyed on purpose may say so. */
function ignore(): void {}
