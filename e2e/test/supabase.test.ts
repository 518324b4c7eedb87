/** A Supabase project's people in the page: password, link by e-mail, renewal; and a project that is away. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SupabaseDouble, startSupabase } from "../../packages/server/test/support/supabaseProject.ts";
import { accessibilityFindings } from "../src/browser.ts";
import { newFolder, startHoldfast } from "../src/holdfast.ts";
import { expectConnection } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";

const liveMsMax = 15_000;
const ada = { email: "ada@kelp.example", password: "canary password" };

let project: SupabaseDouble;
const open = visitors();

beforeAll(async () => {
  project = await startSupabase();
  project.people.set(ada.email, ada.password);
});
afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
});

test("[AU-7] [CL-7] by password, by a link in an e-mail, renewed by the project; a project that is away is said so", async () => {
  const data = newFolder();
  const supabase = { url: project.url, publishableKey: project.key };
  writeFileSync(join(data, "config.json"), JSON.stringify({ signIn: { supabase, links: false } }));
  const server = await startHoldfast({ mode: "local", data });
  const { page, context } = await open(server.url, { width: 360, height: 740 });
  await page.goto(`${server.url}/weather`);
  await page.getByTestId("sign-in-email").fill(ada.email);
  // Where links of ours sign nobody in, nobody is asked for a code.
  expect(await page.getByTestId("sign-in-code").count()).toBe(0);
  expect(await accessibilityFindings(page)).toEqual([]);
  await page.getByTestId("sign-in-password").fill("another");
  await page.getByTestId("sign-in-by-password").click();
  await expect.poll(() => page.getByTestId("password-error").textContent()).toMatch(/do not belong together/);
  project.fault = "500";
  await page.getByTestId("sign-in-password").fill(ada.password);
  await page.getByTestId("sign-in-by-password").click();
  await expect.poll(() => page.getByTestId("password-error").textContent()).toMatch(/sign-in service does not answer/);
  project.fault = undefined;
  await page.getByTestId("sign-in-password").fill(ada.password);
  await page.keyboard.press("Enter");
  await expectConnection(page, "live", liveMsMax);

  // Its end comes: the page asks once, over HTTP, and the connection goes on.
  // Within the second of the sign-in the new cookie is the old one, to the letter: what counts is that the project was asked.
  await page.getByTestId("weather-expire").click();
  await expect.poll(() => project.asked.get("refresh_token"), { timeout: liveMsMax }).toBe(1);
  await expectConnection(page, "live", liveMsMax);
  // A browser that was away longer than the sign-in lasts is let in by what renews it, once for all its tabs.
  await context.clearCookies({ name: /session/ });
  await Promise.all([page.reload(), context.newPage().then((tab) => tab.goto(server.url))]);
  await expectConnection(page, "live", liveMsMax);
  expect(project.asked.get("refresh_token")).toBe(2);
  for (const tab of context.pages())
    expect(await tab.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])))
      .not //
      .toMatch(/eyJ|[0-9a-f]{8}-[0-9a-f]{4}/);

  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-in-email").fill(ada.email);
  await page.getByTestId("sign-in-send-link").click();
  await expect.poll(() => page.getByTestId("sign-in-sent").textContent()).toMatch(/on its way/);
  const { link } = project.sent.at(-1) ?? { link: "" };
  const stranger = await open(server.url);
  await stranger.page.goto(link);
  expect(await stranger.page.getByTestId("sign-in-error").textContent()).toMatch(/in the browser that asked for it/);
  await page.goto(link);
  await expectConnection(page, "live", liveMsMax);
  expect(page.url()).toBe(`${server.url}/weather`);
  expect(server.errors()).not.toMatch(/canary|@kelp|code=|eyJ/);
});
