/** What a person is told who comes by a mistyped address, or through a proxy that passes no upgrade on. */
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { launchBrowser, type Visit, visit } from "../src/browser.ts";
import { endAll, startHoldfast } from "../src/holdfast.ts";

/** Three attempts, each later than the one before. */
const toldMsMax = 40_000;

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endAll();
});

/** Passes HTTP on as it is, and answers an upgrade as an old proxy does: with nothing to upgrade to. */
async function startOldProxy(to: number): Promise<number> {
  const proxy: Server = createServer((asked: IncomingMessage, answer) => {
    const { method, url, headers } = asked;
    const passed = request({ host: "127.0.0.1", port: to, method, path: url, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  proxy.on("upgrade", (_asked, socket) => socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  ends.push(async () => {
    proxy.closeAllConnections();
    await new Promise((done) => proxy.close(done));
  });
  return (proxy.address() as AddressInfo).port;
}

async function open(url: string, through?: number): Promise<Visit> {
  const browser = await launchBrowser(undefined, through);
  ends.push(() => browser.close());
  const opened = await visit(browser, url);
  ends.push(() => opened.close());
  return opened;
}

test("[CL-10] behind a proxy that passes no upgrade on the page says so; a mistyped address is the page's own words", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page } = await open(server.url, await startOldProxy(server.port));
  const answer = await page.goto(`${server.url}/threds/t1`);
  expect(answer?.status()).toBe(404);
  await page.getByText("There is nothing at this address").waitFor();
  await expect
    .poll(() => page.getByTestId("connection-bar").textContent({ timeout: toldMsMax }), { timeout: toldMsMax })
    .toMatch(/a proxy\) does not pass the upgrade on/);
  await page.getByText("To the fleet").click();
  expect(new URL(page.url()).pathname).toBe("/");
});
