/** Serves the harness on a free port and prints its address: `node test/support/harness/serve.ts`. */
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { createServer } from "vite";

const server = await createServer({
  configFile: false,
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  server: { host: "127.0.0.1", port: Number(process.argv[2] ?? 0) },
});
await server.listen();
server.printUrls();
