/** The page's own server, on an origin of its own: its files, and a token for whoever is signed in here. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { tokenFor } from "./tokenShell.ts";

const { HOLDFAST = "http://127.0.0.1:4400", SECRET = "", PORT = "0" } = process.env;
if (SECRET.length < 32)
  throw new Error("SECRET: give the 32 characters or more that the Holdfast server knows this issuer by");
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const dist = new URL("dist/", import.meta.url);
const files = new Map(readdirSync(dist, { recursive: true, encoding: "utf8" }).map((name) => [`/${name}`, name]));

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  // Your own sign-in goes here: a cookie says who it is. This page takes everybody's word.
  const name = searchParams.get("name");
  if (pathname === "/session" && name !== null)
    return response.end(JSON.stringify({ url: `${HOLDFAST.replace("http", "ws")}/ws`, token: tokenFor(name, SECRET) }));
  const file = files.get(pathname === "/" ? "/index.html" : pathname);
  const type = types[extname(file ?? "")];
  if (file === undefined || type === undefined) return response.writeHead(404).end();
  return response.setHeader("content-type", type).end(readFileSync(new URL(file, dist)));
});
server.listen(Number(PORT), "127.0.0.1", () => {
  process.stdout.write(`ready http://127.0.0.1:${(server.address() as { port: number }).port}\n`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.close().closeAllConnections());
