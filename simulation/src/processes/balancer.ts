/**
 * A TCP balancer before several servers, as anybody has one: the next connection goes to the next server that takes it.
 *
 * It knows nothing of what passes: no health checks, no stickiness. A server that refuses is passed over for that
 * connection; where all refuse, the client is refused. Invariant: once connected, bytes go both ways as they come, and an
 * end of one side is the end of the other.
 */
import { connect, createServer, type Socket } from "node:net";

const host = "127.0.0.1";

export interface Balancer {
  readonly url: string;
  readonly port: number;
  /** Connections that are open now, by server, in their order. */
  readonly held: readonly number[];
  /** Connections that another server took than the one whose turn it was. */
  readonly passedOver: number;
  close(): Promise<void>;
}

/** @param ports of the servers, on loopback; @param port its own */
export async function startBalancer(ports: readonly number[], port: number): Promise<Balancer> {
  const sockets = new Set<Socket>();
  const held = ports.map(() => 0);
  let turn = 0;
  let passedOver = 0;

  const offer = (near: Socket, first: number, tried: number): void => {
    const index = (first + tried) % ports.length;
    if (tried === ports.length || near.destroyed) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: ports[index] ?? 0, host, noDelay: true });
    const refused = (): void => {
      passedOver += 1;
      offer(near, first, tried + 1);
    };
    far.once("error", refused);
    far.once("connect", () => {
      far.off("error", refused);
      join(near, far);
      held[index] = (held[index] ?? 0) + 1;
      far.once("close", () => {
        held[index] = (held[index] ?? 0) - 1;
      });
    });
  };

  const join = (near: Socket, far: Socket): void => {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => to.resetAndDestroy());
      from.once("close", () => to.destroySoon());
      from.pipe(to);
    }
  };

  const server = createServer({ noDelay: true }, (near) => {
    sockets.add(near);
    near.on("error", () => {});
    near.once("close", () => sockets.delete(near));
    turn += 1;
    offer(near, turn % ports.length, 0);
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(port, host, done);
  });
  return {
    url: `http://${host}:${port}`,
    port,
    held,
    get passedOver() {
      return passedOver;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
