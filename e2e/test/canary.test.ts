/**
 * Canaries through the whole product and a real browser, at log level debug: where a token or a prompt may stand, and
 * where not.
 *
 * Tokens: the code of the sign-in link, the session's cookie, the operator's key, the agents' keys. They may stand where they
 * are kept to be used (the browser's cookie, `operator.key` and the agents' own files, for this user alone to read) and nowhere
 * else. Prompts: a command, a draft, what a terminal prints. They are the product's data, so the store has them, as
 * events of their thread, and the page shows them; they may not stand in logs, addresses, metrics, diagnostics, history, nor
 * after the sign-out in the browser.
 *
 * Seen red: by the title of a tab, which was the thread's, that is its first command.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { type Holdfast, startHoldfast } from "../src/holdfast.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";

const liveMsMax = 30_000;
const prompt = "PROMPTCANARY-command";
const draft = "PROMPTCANARY-draft";
const printed = "PROMPTCANARY-printed";
const open = visitors();

/** Everything that this origin keeps in the browser, as one text. */
async function kept(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name ?? "");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAll();
        texts.push(
          await new Promise<string>((resolve, reject) => {
            request.onsuccess = () => resolve(JSON.stringify(request.result));
            request.onerror = () => reject(request.error);
          }),
        );
      }
      database.close();
    }
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) texts.push(url);
    return texts.join("\n");
  });
}

/** Addresses and titles of the tab's history; what somebody typed into the address line is the browser's own. */
async function historyOf(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  await session.detach();
  return entries.map(({ url, title }) => `${url} ${title}`).join("\n");
}

/** The files below a folder, by their path in it. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path).toString("latin1")];
    }),
  );
}

test("[W5] [L2] [O8] no token and no prompt where it does not belong, after a whole visit at log level debug", async () => {
  const server = await startHoldfast({
    mode: "local",
    printSignIn: true,
    flags: ["--log-level", "debug"],
  });
  const { page, context } = await open(server.url);
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url(), request.headers()["referer"] ?? ""));

  const link = await server.signIn();
  const code = link.slice(link.indexOf("#") + 1).replace(/^code=/, "");
  await page.goto(link);
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `echo ${prompt}; printf '${printed.slice(0, 12)}'; printf '%s\\n' '${printed.slice(12)}'`);
  expect(await finishedOutcome(page)).toBe("completed");
  await page.getByTestId("composer-input").fill(draft);
  await page.reload();
  await expectConnection(page, "live", liveMsMax);

  const cookies = await context.cookies();
  const cookie = cookies.find(({ name }) => name.startsWith("holdfast_session_"))?.value ?? "";
  const files = filesOf(server.data);
  const keys = [...files].flatMap(([path, text]) =>
    [...text.matchAll(/hfk_[\w.~+/=-]+/g)].map(([key]) => ({ path, key })),
  );
  const operatorKey = files.get("operator.key")?.trim() ?? "";
  const tokens = { code, cookie, operatorKey, ...Object.fromEntries(keys.map(({ path, key }) => [path, key])) };
  expect(Object.values(tokens).filter((token) => token.length < 16)).toEqual([]);

  const asked = await page.evaluate(async () => {
    // Something for the log at debug.
    await fetch("/nothing");
    const answer = await fetch("/api/diagnostics.get", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    return await answer.text();
  });
  expect(asked).toContain('"records":[{');
  const places: Record<string, string> = {
    diagnostics: asked,
    metrics: await (await fetch(`${server.url}/metrics`)).text(),
    history: await historyOf(page),
    addresses: addresses.join("\n"),
    "the browser's storage": await kept(page),
  };
  expect(places["metrics"]).toContain("holdfast_connections");
  // The socket is the shared worker's, where nobody can look: an address with a credential would be 400 (AU-1).
  expect(addresses.some((address) => address.includes("/api/session"))).toBe(true);
  // What is typed and not sent is kept in the browser, until it is sent or its writer signs out: the search finds it.
  expect(places["the browser's storage"]).toContain(draft);

  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-in-code").waitFor();
  places["the browser after the sign-out"] = (await kept(page)) + JSON.stringify(await context.cookies());
  places["history after the sign-out"] = await historyOf(page);
  await page.close();
  places["the log"] = (await server.stop("SIGTERM")).errors;
  expect(places["the log"]).toMatch(/"level":"debug".*"http.refused"/);

  const where = (needle: string): string[] =>
    Object.entries(places).flatMap(([place, text]) => (text.includes(needle) ? [place] : []));
  for (const [name, token] of Object.entries(tokens)) expect([name, ...where(token)]).toEqual([name]);
  expect(where(prompt)).toEqual([]);
  expect(where(printed)).toEqual([]);
  expect(where(draft)).toEqual(["the browser's storage"]);
  filesKeepTheirOwn(server, tokens);
});

/** Of the data folder: keys in the files that are made for them, for this user alone; the prompt in the store only. */
function filesKeepTheirOwn(server: Holdfast, tokens: Readonly<Record<string, string>>): void {
  const files = [...filesOf(server.data)];
  const holding = (needle: string): string[] => files.flatMap(([path, text]) => (text.includes(needle) ? [path] : []));
  for (const [name, token] of Object.entries(tokens)) {
    const places = holding(token);
    expect([name, ...places.filter((path) => /\.db|\.log/.test(path))]).toEqual([name]);
    for (const path of places) expect([path, statSync(join(server.data, path)).mode & 0o077]).toEqual([path, 0]);
  }
  expect([holding(tokens["code"] ?? ""), holding(tokens["cookie"] ?? "")]).toEqual([[], []]);
  expect(holding(prompt).length).toBeGreaterThan(0);
  expect(holding(prompt).filter((path) => !/\.db/.test(path))).toEqual([]);
}

test("[W2] a page of another origin, of another port or of another name for this machine, gets no socket and no answer", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  await expectConnection(page, "live", liveMsMax);

  const foreign = createServer((_, response) => response.setHeader("content-type", "text/html").end("<p>elsewhere"));
  await new Promise<void>((done) => {
    foreign.listen(0, done);
  });
  onTestFinished(() => {
    foreign.closeAllConnections();
    foreign.close();
  });
  const { port } = foreign.address() as AddressInfo;
  for (const origin of [`http://127.0.0.1:${port}`, `http://evil.localhost:${port}`, `http://localhost:${port}`]) {
    const stranger = await context.newPage();
    await stranger.goto(origin);
    const said = await stranger.evaluate(
      async ([own, name]) => {
        const opens = (address: string): Promise<string> =>
          new Promise((resolve) => {
            const socket = new WebSocket(address, "holdfast.v1");
            socket.onopen = () => resolve("open");
            socket.onclose = () => resolve("closed");
          });
        const reads = (init: RequestInit): Promise<string> =>
          fetch(`${own}/api/session`, { credentials: "include", ...init }).then(
            (answer) => answer.text(),
            () => "refused",
          );
        const socket = `${String(own).replace("http", "ws")}/ws`;
        return [
          await opens(socket),
          await opens(socket.replace("127.0.0.1", String(name))),
          await reads({}),
          await reads({ method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }),
        ];
      },
      [server.url, new URL(origin).hostname] as const,
    );
    expect([origin, ...said]).toEqual([origin, "closed", "closed", "refused", "refused"]);
    await stranger.close();
  }
});

test("[O2] [O3] what an agent prints fetches nothing, and no script runs that the server does not serve", async () => {
  const server = await startHoldfast({ mode: "development" });
  let hits = 0;
  const canary = createServer((_, response) => {
    hits += 1;
    response.end();
  });
  await new Promise<void>((done) => {
    canary.listen(0, "127.0.0.1", done);
  });
  onTestFinished(() => {
    canary.closeAllConnections();
    canary.close();
  });
  const elsewhere = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
  const { page } = await open(server.url);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(?:data|blob):/.test(request.url())) foreign.push(request.url());
  });
  await page.goto(server.url);
  await (await onlineAgent(page, hostname())).click();
  const markup = `![x](${elsewhere}/a) <img src=${elsewhere}/b onerror=alert(1)> <script src=${elsewhere}/c></script> [y]: ${elsewhere}/d`;
  await sendCommand(page, `printf '%s\\n' '${markup}'`);
  expect(await finishedOutcome(page)).toBe("completed");
  await page.reload();
  expect(await finishedOutcome(page)).toBe("completed");
  expect(await page.locator("img[src*='127.0.0.1'], [onerror]").count()).toBe(0);

  // Were there a hole all the same: the page's policy lets nothing of it run or go out.
  const ran = await page.evaluate(async (address) => {
    const run = async (make: () => HTMLElement): Promise<void> => {
      document.body.append(make());
      await new Promise((done) => setTimeout(done, 50));
    };
    const element = (name: string, attributes: Record<string, string>, text = ""): HTMLElement => {
      const made = document.createElement(name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      made.textContent = text;
      return made;
    };
    await run(() => element("script", {}, "window.canary = 1"));
    await run(() => element("script", { src: `${address}/e` }));
    await run(() => element("img", { src: `${address}/f`, onerror: "window.canary = 2" }));
    await run(() => element("iframe", { src: `${address}/g` }));
    await run(() => element("object", { data: `${address}/h` }));
    const sent = await fetch(`${address}/i`, { mode: "no-cors" }).then(
      () => "sent",
      () => "kept",
    );
    return { canary: (window as { canary?: number }).canary, sent };
  }, elsewhere);
  expect(ran).toEqual({ canary: undefined, sent: "kept" });
  expect(hits).toBe(0);
  expect(foreign.filter((address) => !address.startsWith(elsewhere))).toEqual([]);
});
