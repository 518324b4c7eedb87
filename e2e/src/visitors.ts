/**
 * Whoever comes with a browser in a file of tests: one browser for the file; after each test every visit is closed
 * and everything that was started is ended, whatever the test did.
 *
 * A page error that nobody caught fails its test when the visit is closed, and the rest is ended all the same.
 */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { launchBrowser, type Visit, type VisitOptions, visit } from "./browser.ts";
import { endAll } from "./holdfast.ts";

/**
 * Called once, at a file's top: what opens a visit.
 * @param switches further ones of Chromium's own
 * @param through see {@link launchBrowser}; asked for when the file's tests begin
 */
export function visitors(
  switches: readonly string[] = [],
  through: () => number | undefined = () => undefined,
): (origin: string, options?: VisitOptions) => Promise<Visit> {
  let browser: Browser;
  const visits: Visit[] = [];
  beforeAll(async () => {
    browser = await launchBrowser(undefined, through(), switches);
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    try {
      for (const one of visits.splice(0)) await one.close();
    } finally {
      await endAll();
    }
  });
  return async (origin, options) => {
    const opened = await visit(browser, origin, options);
    visits.push(opened);
    return opened;
  };
}
