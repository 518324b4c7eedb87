/** `holdfast doctor` as a test runs it, a server to examine, and small boxes that stand between the two. */
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener, request } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { createServer, type Server, type ServerOptions } from "@holdfast/server";
import { onTestFinished } from "vitest";
import { runCommand } from "../../src/commands/run.ts";
import { makeFolder } from "./folders.ts";

export interface Examined {
  readonly code: number;
  /** Of standard output. */
  readonly lines: readonly string[];
  /** The last of them: where the way ended. */
  readonly last: string;
  readonly errors: string;
}

export async function examine(...argv: string[]): Promise<Examined> {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(["doctor", ...argv], {
    environment: {},
    directory: makeFolder(),
    output: { write: (text) => void output.push(text) },
    errors: { write: (text) => void errors.push(text) },
  });
  const lines = output.join("").split("\n").slice(0, -1);
  return { code, lines, last: lines.at(-1) ?? "", errors: errors.join("") };
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A real server with the notes app, whose stream is `notes`. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<Server> {
  const server = await createServer({
    app: new URL("../../../server/test/support/notesApp.ts", import.meta.url),
    data: makeFolder(),
    mode: "development",
    version: "1.2.3",
    log: silent,
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

/** A small HTTP server of the test's own; its address. Upgrades are ordinary requests to it. */
export async function startHttp(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listenOn(createHttpServer(listener))}`;
}

/** A port of loopback that was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listenOn(server);
  await new Promise((done) => server.close(done));
  return port;
}

/** A proxy that knows no upgrade, as many are set up: it passes requests on, without what concerns one hop only. */
export function forwardTo(target: string): RequestListener {
  return ({ method, url, headers }, response) => {
    const { upgrade: _, connection: __, ...rest } = headers;
    const passed = request(
      `${target}${url}`,
      { method, headers: { ...rest, host: new URL(target).host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy());
    passed.end();
  };
}

/** A line that delays all bytes by `delayMs` each way; where it leads is said later. */
export async function startSlowLine(delayMs: number): Promise<{ readonly port: number; leadTo(port: number): void }> {
  let target = 0;
  const port = await listenOn(
    createTcpServer((near) => {
      const far = connect(target, "127.0.0.1");
      delay(near, far, delayMs);
      delay(far, near, delayMs);
    }),
  );
  return {
    port,
    leadTo: (to) => {
      target = to;
    },
  };
}

function delay(from: Socket, to: Socket, delayMs: number): void {
  from.on("data", (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), delayMs));
}

async function listenOn(server: HttpServer | TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  return (server.address() as AddressInfo).port;
}
