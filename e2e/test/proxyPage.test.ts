/** The page in a browser, in production mode, over the TLS of a real nginx: signed in by a link, one line, a reload. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, runHoldfast, startHoldfast } from "../src/holdfast.ts";
import { freePort, startNginx } from "../src/nginx.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand, terminalLines } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const shownMsMax = 30_000;

// The certificate of the test is signed by nobody.
const open = visitors(["--ignore-certificate-errors"]);

test("[F79][AU-5] sign in by a link that was asked for, one command, a reload; cookie and footer are production's", async () => {
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const data = newFolder();
  const environment = { HOLDFAST_SIGN_IN_LINKS: "true" };
  const flags = ["--public-url", url, "--trust-proxies", "127.0.0.1"];
  const server = await startHoldfast({ mode: "production", data, flags, environment, printSignIn: true });
  expect(server.url).toBe(url);
  const { url: direct } = JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string };
  await startNginx({ port, servers: [Number(new URL(direct).port)], encrypted: true });
  expect(await (await fetch(`${direct}/healthz`)).json()).toMatchObject({ mode: "production", store: "sqlite" });
  expect(server.errors()).toMatch(/^\{.*"mode":"production","store":"sqlite".*"event":"server.starting"\}$/m);

  // Pretty printers take a field `name` for the name of the program.
  const records = server.errors().trim().split("\n");
  expect(records.filter((line) => line.startsWith("{") && "name" in JSON.parse(line))).toEqual([]);

  const { page, context } = await open(url);
  await page.goto(await server.signIn());
  await (await onlineAgent(page, hostname())).click();
  await expectConnection(page, "live", shownMsMax);
  expect(await page.getByTestId("page-footer").textContent()).toMatch(/^mode production ?store sqlite/);
  expect(await context.cookies()).toMatchObject([{ name: "__Host-holdfast_session", secure: true, httpOnly: true }]);
  await sendCommand(page, "echo $((6*7))");
  expect(await finishedOutcome(page)).toBe("completed");
  await page.reload();
  await waitFor(async () => ((await terminalLines(page)).includes("42") ? true : undefined), {
    msMax: shownMsMax,
    what: "42 after a reload",
  });
});

const named = ["--public-url", "https://fleet.example.org"];
test.each([
  ["without a store that was named", false, named, "no store is named"],
  ["without https", true, [], "without encryption"],
  ["without a way to sign in", true, named, "no way to sign in"],
])("[F79] production %s does not start: one sentence, exit 2", async (_title, hasStore, flags, why) => {
  const store = hasStore ? ["--data", newFolder()] : [];
  const { code, output, errors } = await runHoldfast(["--mode", "production", "--port", "0", ...store, ...flags]);
  const said = errors.split("\n").filter((line) => line !== "" && !/^npm (warn|error|notice)/i.test(line));
  expect([code, said]).toEqual([2, [expect.stringContaining(why)]]);
  expect(said[0]).toMatch(/\.$/);
  expect(output).not.toMatch(/^ready/m);
});
