/** The page's own server, on an origin of its own: its files, and a token for whoever is signed in here. */
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";

const { HOLDFAST = "http://127.0.0.1:4400", SECRET = "", PORT = "0" } = process.env;
const tokenSeconds = 300;
if (SECRET.length < 32)
  throw new Error("SECRET: give the 32 characters or more that the Holdfast server knows this issuer by");
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const dist = new URL("dist/", import.meta.url);
const files = new Map(readdirSync(dist, { recursive: true, encoding: "utf8" }).map((name) => [`/${name}`, name]));

/** What the Holdfast server is told of a person: signed with the secret that both know. */
function token(name: string): string {
  const claims = { iss: "assistant-example", sub: name, name, exp: Math.floor(Date.now() / 1_000) + tokenSeconds };
  const signed = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return [...signed, createHmac("sha256", SECRET).update(signed.join(".")).digest("base64url")].join(".");
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  // Your own sign-in goes here: a cookie says who it is. This page takes everybody's word.
  const name = searchParams.get("name");
  if (pathname === "/session" && name !== null)
    return response.end(JSON.stringify({ url: `${HOLDFAST.replace("http", "ws")}/ws`, token: token(name) }));
  const file = files.get(pathname === "/" ? "/index.html" : pathname);
  const type = types[extname(file ?? "")];
  if (file === undefined || type === undefined) return response.writeHead(404).end();
  return response.setHeader("content-type", type).end(readFileSync(new URL(file, dist)));
});
server.listen(Number(PORT), "127.0.0.1", () => {
  process.stdout.write(`ready http://127.0.0.1:${(server.address() as { port: number }).port}\n`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.close().closeAllConnections());
