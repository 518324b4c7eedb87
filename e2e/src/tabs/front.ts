/**
 * What stands before the server in the tabs' test: it serves the page itself and passes sockets on, or cuts them.
 *
 * So a page can be reloaded while there is no connection. Host and origin become the server's own on the way in.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";

const host = "127.0.0.1";

export interface Front {
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startFront(folder: string, behind: string): Promise<Front> {
  const target = new URL(behind);
  const pairs = new Set<Socket>();
  let isCut = false;
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", behind);
    if (pathname.startsWith("/api/")) {
      const cookie = request.headers.cookie ?? "";
      const passed = await fetch(new URL(pathname, behind), { headers: { cookie } });
      for (const line of passed.headers.getSetCookie()) response.appendHeader("set-cookie", line);
      response.writeHead(passed.status, { "content-type": "application/json" }).end(await passed.text());
      return;
    }
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const type = name.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": type }).end(await readFile(join(folder, name)));
  }

  server.on("upgrade", (request, near: Socket, head) => {
    near.on("error", () => {});
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect({ port: Number(target.port), host: target.hostname });
    far.on("error", () => near.destroy());
    far.on("close", () => near.destroy());
    near.on("close", () => far.destroy());
    pairs.add(near);
    near.on("close", () => pairs.delete(near));
    const headers = { ...request.headers, host: target.host, origin: target.origin };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
    far.write(`GET ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    far.write(head);
    far.pipe(near);
    near.pipe(far);
  });

  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      for (const near of pairs) near.destroy();
    },
    mend() {
      isCut = false;
    },
    close: () =>
      new Promise((resolve) => {
        for (const near of pairs) near.destroy();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
