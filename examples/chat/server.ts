/** Serves the chat, its page and its socket on one port: a free one, or `PORT`. */
import { createServer } from "@holdfast/server";

const server = await createServer({
  app: new URL("app.ts", import.meta.url),
  data: process.env["DATA"] ?? new URL(".holdfast/", import.meta.url),
  page: new URL("dist/", import.meta.url),
  port: Number(process.env["PORT"] ?? 0),
  // Your own sign-in goes here: verify the token or a cookie, then say who it is. This room takes everybody's word.
  authenticate: ({ token }) => (token === undefined ? null : { id: token, name: token }),
});
process.stdout.write(`ready ${server.url}\n`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => void server.close());
