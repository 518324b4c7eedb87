/** Serves the app whose address is the first parameter, with its data in the second, and says where on standard output. */
import { createServer } from "@holdfast/server";

const [, , app = "", data = ""] = process.argv;
const server = await createServer({
  app: new URL(app),
  data,
  port: 0,
  authenticate: ({ token }) => (token === undefined ? null : { id: token, name: token }),
});
process.stdout.write(`ready ${server.url}\n`);
process.on("SIGTERM", () => void server.close());
