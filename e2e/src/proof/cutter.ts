/**
 * A network that cuts: every connection that passes is ended after a number of bytes that was drawn for it.
 *
 * Life cycle of a connection: opened → forwarded byte by byte, each way → at its cut reset, half closed, or turned
 * into a hole that swallows everything, both ways. Invariants: the bytes before the cut are forwarded and none
 * behind it; a cut is counted when it takes effect, never when it is drawn. It deliberately changes no byte.
 */
import { connect, createServer, type Socket } from "node:net";

const host = "127.0.0.1";
/** A hole that nobody leaves is closed, since a network forgets too. */
const holeMsMax = 5_000;
/** One cut in four is drawn within the first bytes: in the middle of the handshake, or of `hello` and `welcome`. */
const earlyShare = 0.25;
const earlyBytesMax = 800;

export type CutWay = "reset" | "end" | "hole";
const ways: readonly CutWay[] = ["reset", "reset", "end", "hole"];

export interface CutterOptions {
  /** Where the server listens now. */
  readonly target: () => number;
  /** From 0 to below 1. */
  readonly draw: () => number;
  /** The most bytes that a connection may carry one way before it is cut. */
  readonly bytesMax: number;
}

export interface Cutter {
  readonly port: number;
  /** Those that took effect, by way and by the direction in which the bytes were counted. */
  readonly cuts: Readonly<Record<`${CutWay} ${"up" | "down"}`, number>>;
  cutsInAll(): number;
  /** From now on connections are left alone. */
  heal(): void;
  close(): Promise<void>;
}

interface Plan {
  readonly direction: "up" | "down";
  readonly way: CutWay;
  bytesLeft: number;
}

export async function startCutter({ target, draw, bytesMax }: CutterOptions): Promise<Cutter> {
  const cuts = { "reset up": 0, "reset down": 0, "end up": 0, "end down": 0, "hole up": 0, "hole down": 0 };
  const open = new Set<Socket>();
  let healed = false;

  const newPlan = (): Plan => ({
    direction: draw() < 0.5 ? "up" : "down",
    way: ways[Math.floor(draw() * ways.length)] ?? "reset",
    bytesLeft: 1 + Math.floor(draw() * (draw() < earlyShare ? earlyBytesMax : bytesMax)),
  });

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target(), host, noDelay: true });
    const plan = newPlan();
    let isHole = false;
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        (socket === near ? far : near).destroy();
      });
    }

    const cut = (from: Socket, to: Socket): void => {
      cuts[`${plan.way} ${plan.direction}`] += 1;
      if (plan.way === "hole") {
        isHole = true;
        const timer = setTimeout(() => near.destroy(), holeMsMax);
        near.on("close", () => clearTimeout(timer));
      } else if (plan.way === "end") {
        to.end();
        from.destroy();
      } else {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    };
    const forward = (direction: Plan["direction"], from: Socket, to: Socket): void => {
      from.on("data", (bytes: Buffer) => {
        if (isHole) return;
        if (healed || direction !== plan.direction || bytes.length < plan.bytesLeft) {
          plan.bytesLeft -= healed || direction !== plan.direction ? 0 : bytes.length;
          if (!to.write(bytes)) {
            from.pause();
            to.once("drain", () => from.resume());
          }
          return;
        }
        // Written out first: what was before the cut has arrived at the other side's kernel, if the way allows.
        to.write(bytes.subarray(0, plan.bytesLeft), () => cut(from, to));
        from.pause();
        from.removeAllListeners("data");
      });
    };
    // Who does not get through is cut by nobody: only what reaches the server counts.
    far.on("connect", () => {
      forward("up", near, far);
      forward("down", far, near);
    });
  });

  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, host, done);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`the cutter has no port: ${String(address)}`);
  return {
    port: address.port,
    cuts,
    cutsInAll: () => Object.values(cuts).reduce((sum, count) => sum + count, 0),
    heal() {
      healed = true;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
