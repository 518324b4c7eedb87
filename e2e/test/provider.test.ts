/** Signing in at a provider's page, in a real browser: the button, the provider, back on the page that was open. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type IdentityProvider, startIdentityProvider } from "../../packages/server/test/support/identityProvider.ts";
import { accessibilityFindings, launchBrowser, type Visit, visit } from "../src/browser.ts";
import { endAll, type Holdfast, newFolder, startHoldfast } from "../src/holdfast.ts";
import { expectConnection } from "../src/pageObjects.ts";

const liveMsMax = 15_000;
const secret = "canary-client-secret";

let browser: Browser;
let provider: IdentityProvider;
const visits: Visit[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  provider = await startIdentityProvider({ secret });
});
afterAll(async () => {
  await browser?.close();
  await provider?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const one of visits.splice(0)) await one.close();
  await endAll();
});

async function start(): Promise<Holdfast> {
  const data = newFolder();
  const oidc = { issuer: provider.url, clientId: provider.client.id, clientSecret: secret, name: "Kelp ID" };
  writeFileSync(join(data, "config.json"), JSON.stringify({ signIn: { oidc }, agents: { demo: false } }));
  return await startHoldfast({ mode: "local", data });
}

test("[AU-5] the button leads to the provider and back to the page that was asked for, as that person", async () => {
  const holdfast = await start();
  const one = await visit(browser, holdfast.url);
  visits.push(one);
  const { page } = one;
  await page.goto(`${holdfast.url}/agents`);
  const button = page.getByTestId("sign-in-provider");
  expect(await button.textContent()).toBe("Sign in with Kelp ID");
  expect(await accessibilityFindings(page)).toEqual([]);
  await button.click();
  await expectConnection(page, "live", liveMsMax);
  expect(new URL(page.url()).pathname).toBe("/agents");
  const session = await page.evaluate(async () => (await fetch("/api/session")).json() as Promise<object>);
  expect(session).toMatchObject({ user: { name: "Ada", role: "viewer", temporary: false } });
  // A successful sign-in is nothing to worry about (F04), and none of its secrets is kept anywhere (W5).
  expect(holdfast.errors()).not.toMatch(/"level":"?(?:40|50|warn|error)|WARN|ERROR/);
  for (const text of [holdfast.errors(), page.url()]) expect(text).not.toMatch(/canary|code=|state=/);
});

test("what goes wrong there is a sentence on the sign-in page, and the address keeps nothing of it", async () => {
  const holdfast = await start();
  const one = await visit(browser, holdfast.url);
  visits.push(one);
  const { page } = one;
  await page.goto(holdfast.url);
  provider.denial = "access_denied";
  await page.getByTestId("sign-in-provider").click();
  expect(await page.getByTestId("sign-in-error").textContent()).toMatch(/cancelled there/);
  expect(page.url()).toBe(`${holdfast.url}/`);
  provider.denial = undefined;
  await page.getByTestId("sign-in-provider").click();
  await expectConnection(page, "live", liveMsMax);
});
