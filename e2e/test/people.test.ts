/** People as an admin handles them in the page, sessions as everybody does, and what a browser keeps after a sign-out. */
import { hostname } from "node:os";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { startHoldfast } from "../src/holdfast.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";

const liveMsMax = 15_000;
const canary = "canary-of-ada";

const open = visitors();

/** All that a browser keeps for this origin and a script can read, as one text; databases that are empty are named only. */
async function keptIn(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const kept: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie, await caches.keys()];
    for (const { name = "" } of await indexedDB.databases()) {
      const opened = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of opened.objectStoreNames) {
        const rows = opened.transaction(store).objectStore(store).getAll();
        kept.push(
          await new Promise((resolve) => {
            rows.onsuccess = () => resolve(rows.result);
          }),
        );
      }
      kept.push(name);
      opened.close();
    }
    return JSON.stringify(kept);
  });
}

test("[AU-9] an admin invites by a link, gives and takes a role, and removes: each shows at once", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page } = await open(server.url);
  await page.goto(await server.signIn());
  await onlineAgent(page, hostname());
  await page.getByTestId("to-people").click();
  await page.getByTestId("invite-name").fill("Ada");
  await page.getByTestId("invite").click();
  const link = await page.getByTestId("person-link").inputValue();

  const other = await open(server.url);
  await other.page.goto(link);
  await (await onlineAgent(other.page, hostname())).click();
  await expectConnection(other.page, "live", liveMsMax);
  expect(new URL(other.page.url()).hash).toBe("");
  expect(await other.page.getByTestId("composer-input").count()).toBe(0);

  const row = page.locator('[data-testid="person"]:has-text("Ada")');
  await row.getByTestId("person-role").selectOption("operator");
  await sendCommand(other.page, "echo by Ada");
  expect(await finishedOutcome(other.page)).toBe("completed");
  // No reload: what she has open loses its send box under her.
  await row.getByTestId("person-role").selectOption("viewer");
  await other.page.getByTestId("composer-input").waitFor({ state: "detached" });

  await page.getByTestId("to-audit").click();
  const deeds = page.getByTestId("audit-entry");
  await expect.poll(() => deeds.count()).toBe(3);
  expect(await deeds.first().textContent()).toContain("Owner made Ada viewer, before: operator");
  // What she may not do is told while somebody looks.
  const session = (
    await other.context.request.post(`${server.url}/api/user.invite`, {
      headers: { origin: server.url },
      data: { name: "Eve", role: "admin" },
    })
  ).status();
  expect(session).toBe(403);
  await expect.poll(() => deeds.first().textContent()).toContain("Ada tried to invite somebody: forbidden");
  await page.getByTestId("audit-person").fill("ada");
  await page.keyboard.press("Enter");
  await expect.poll(() => deeds.count()).toBe(1);
  await page.getByTestId("audit-action").selectOption("session.");
  await expect.poll(() => page.getByTestId("audit-empty").textContent()).toBe("Nothing of the kind is kept.");
  await page.getByTestId("to-people").click();

  await row.getByTestId("person-remove").click();
  await row.getByTestId("person-remove-sure").click();
  await row.waitFor({ state: "detached" });
  await expectConnection(other.page, "stopped", liveMsMax);
  expect(await other.page.getByTestId("connection-bar").textContent()).toMatch(/ended your access.*Sign in again/s);
  await other.page.reload();
  await other.page.getByTestId("sign-in-code").waitFor();
});

test("[AU-9] who signed in on two devices ends the other's session, or all: that page is signed out in words", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page } = await open(server.url);
  await page.goto(await server.signIn());
  await onlineAgent(page);
  await page.getByTestId("to-people").click();
  await page.getByTestId("own-session").first().waitFor();
  expect(await page.getByTestId("sign-out-everywhere").count()).toBe(0);
  await page.getByTestId("invite-name").fill("Ada");
  await page.getByTestId("invite").click();
  const ada = page.locator('[data-testid="person"]:has-text("Ada")');
  await ada.getByTestId("person-link-done").click();

  const devices: Page[] = [];
  for (const _ of ["laptop", "phone", "tablet"]) {
    await ada.getByTestId("person-new-link").click();
    const link = await ada.getByTestId("person-link").inputValue();
    await ada.getByTestId("person-link-done").click();
    const device = await open(server.url);
    await device.page.goto(link);
    await onlineAgent(device.page);
    devices.push(device.page);
  }
  const [laptop, phone, tablet] = devices as [Page, Page, Page];
  await laptop.getByTestId("to-people").click();
  await expect.poll(() => laptop.getByTestId("own-session").count()).toBe(3);
  // The newest first: the tablet, the phone, the laptop.
  await laptop.locator('[data-testid="own-session"][data-current="false"]').nth(1).getByRole("button").click();
  await expectConnection(phone, "stopped", liveMsMax);
  expect(await phone.getByTestId("connection-bar").textContent()).toMatch(/ended your access.*Sign in again/s);
  await expectConnection(tablet, "live", liveMsMax);

  await laptop.getByTestId("sign-out-everywhere").click();
  await laptop.getByTestId("sign-in-code").waitFor();
  await expectConnection(tablet, "stopped", liveMsMax);
  await tablet.reload();
  await tablet.getByTestId("sign-in-code").waitFor();
});

test("[O8] [F35] a sign-out clears everything of the browser, in every tab; the next person finds nothing", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `echo ${canary}`);
  expect(await finishedOutcome(page)).toBe("completed");
  const other = await context.newPage();
  await other.goto(server.url);
  await (await onlineAgent(other, hostname())).click();
  await other.getByTestId("composer-input").fill(`${canary}, half a thought`);
  // What she sends while the server is away is kept on this device.
  await server.kill();
  await sendCommand(page, `echo ${canary} later`);
  await expect.poll(() => keptIn(page)).toContain(`${canary} later`);
  expect(await keptIn(other)).toContain("half a thought");
  await startHoldfast({ mode: "local", data: server.data, port: server.port });
  await expectConnection(page, "live", liveMsMax);

  await page.getByTestId("sign-out").click();
  for (const tab of [page, other]) {
    await tab.getByTestId("sign-in-code").waitFor();
    expect(await tab.content()).not.toContain(canary);
    await expect.poll(() => keptIn(tab)).not.toMatch(new RegExp(`${canary}|workspace|owner`));
  }
  // The session cookie is gone with it, also for who asks without the page.
  expect((await context.cookies()).filter(({ name }) => name.includes("session"))).toEqual([]);
});
