/** Flags reach the page: whether all tabs of a browser share one socket is read when a page is loaded. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { newFolder, startHoldfast } from "../src/holdfast.ts";
import { expectConnection } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const toldMsMax = 15_000;

const open = visitors();

function socketsOf(page: Page): () => number {
  let sockets = 0;
  page.on("websocket", () => {
    sockets += 1;
  });
  return () => sockets;
}

test("[OP-3] tabs share a socket until a flag says that each has its own", async () => {
  const file = join(newFolder(), "flags.json");
  const say = (flags: object): void => writeFileSync(file, JSON.stringify({ flags }));
  say({});
  const server = await startHoldfast({ mode: "development", environment: { HOLDFAST_FLAGS_FILE: file } });
  const { page, context } = await open(server.url);
  const pages = [page, await context.newPage()];
  const counts = pages.map(socketsOf);
  for (const one of pages) {
    await one.goto(server.url);
    await expectConnection(one, "live", toldMsMax);
  }
  // Theirs is the shared worker's.
  expect(counts.map((count) => count())).toEqual([0, 0]);

  say({ tabSharing: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "off" } });
  await waitFor(
    () =>
      page.evaluate(async () => {
        const about = (await (await fetch("/api/session")).json()) as { features: { tabSharing: boolean } };
        return about.features.tabSharing ? undefined : true;
      }),
    { msMax: toldMsMax, what: "the flag of the changed file" },
  );
  for (const one of pages) {
    await one.reload();
    await expectConnection(one, "live", toldMsMax);
  }
  expect(counts.map((count) => count())).toEqual([1, 1]);
});
