/**
 * For a container's health check: exit 0 where the server of this machine answers that it is ready, else 1.
 *
 * It asks what `server.json` of the data folder names, so it needs no port and no flag; an address over TLS is asked
 * for nothing but its answer, since its name is the public one. It deliberately asks nothing of the store.
 */
import { readFileSync } from "node:fs";
import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { join } from "node:path";

const answerMsMax = 2_500;

try {
  const { url } = JSON.parse(readFileSync(join(process.env.HOLDFAST_DATA ?? ".holdfast", "server.json"), "utf8"));
  const request = url.startsWith("https:") ? overHttps : overHttp;
  const asked = request(`${url}/readyz`, { rejectUnauthorized: false, timeout: answerMsMax }, ({ statusCode }) => {
    process.exit(statusCode === 200 ? 0 : 1);
  });
  asked.on("timeout", () => asked.destroy(new Error(`no answer within ${answerMsMax} ms`)));
  asked.on("error", fail);
  asked.end();
} catch (error) {
  fail(error);
}

/** @param {unknown} error */
function fail(error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
