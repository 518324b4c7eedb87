/**
 * A connection that ends behind a chosen byte: for what becomes of a frame of which only a part was told.
 *
 * Life cycle: open → armed, one way, with a number of bytes → those pass, and both ends are gone in the same moment →
 * whoever comes back passes whole. It deliberately knows no frames: every number of bytes is tried.
 */
import { connect, createServer, type Socket } from "node:net";
import { rewriteHost } from "./proxy.ts";

export interface ByteCutter {
  readonly url: string;
  /** Of what is said this way from now on, so many bytes pass. */
  arm(way: "up" | "down", bytes: number): void;
  /** Bytes that have passed this way, on all connections. */
  passed(way: "up" | "down"): number;
  readonly hasCut: boolean;
  close(): Promise<void>;
}

const host = "127.0.0.1";

export async function startByteCutter(targetPort: number): Promise<ByteCutter> {
  const sockets = new Set<Socket>();
  const counts = { up: 0, down: 0 };
  let armed: { readonly way: "up" | "down"; left: number } | undefined;
  let hasCut = false;

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: targetPort, host, noDelay: true });
    const end = (): void => {
      for (const socket of [near, far]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    const pass = (way: "up" | "down", from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void => {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", end);
      from.on("data", (read: Buffer) => {
        const bytes = change(read);
        counts[way] += bytes.length;
        if (armed?.way !== way || bytes.length <= armed.left) {
          if (armed?.way === way) armed.left -= bytes.length;
          to.write(bytes);
          return;
        }
        const last = bytes.subarray(0, armed.left);
        armed = undefined;
        hasCut = true;
        // What passes has arrived before the end does.
        if (last.length === 0) end();
        else to.write(last, () => setImmediate(end));
      });
    };
    pass(
      "up",
      near,
      far,
      rewriteHost(() => targetPort),
    );
    pass("down", far, near, (bytes) => bytes);
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`the cutter has no port: ${String(address)}`);
  return {
    url: `ws://${host}:${address.port}/ws`,
    arm: (way, left) => {
      armed = { way, left };
    },
    passed: (way) => counts[way],
    get hasCut() {
      return hasCut;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
