/**
 * What a page pays for the session: each entry of the published package with all that it needs of
 * `@holdfast/protocol`, as a consumer's bundler makes it without any setting of ours.
 *
 * The limits are ratchets: they keep what was reached, and whoever needs more says so here. Counted is what an entry
 * loads at once; what it loads later, if ever, has a figure of its own. Seen red: with the registry's sentences back
 * in `errors.ts`.
 */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packedMsMax, type Unpacked, unpackPackages } from "./support/packed.ts";

/** Entry → most bytes, gzipped, that it loads at once, and later. */
const gzipBytesMax: Readonly<Record<string, { readonly atOnce: number; readonly later: number }>> = {
  // No more than 12,288, ever; docs/ARCHITECTURE.md, "What a page pays", says what is in it.
  // `fetch`, and what is asked of the server with it, is loaded when something is first asked over HTTP.
  index: { atOnce: 12_205, later: 445 },
  "durable/index": { atOnce: 14_390, later: 445 },
  "publisher/index": { atOnce: 14_515, later: 445 },
  // A tab that leads loads the socket and its rules only then.
  "tabs/index": { atOnce: 7_805, later: 15_625 },
  "tabs/worker": { atOnce: 16_480, later: 445 },
  "storage/index": { atOnce: 2_310, later: 0 },
};

let unpacked: Unpacked;
beforeAll(() => {
  unpacked = unpackPackages();
}, packedMsMax);
afterAll(() => unpacked?.[Symbol.dispose]());

it.each(Object.entries(gzipBytesMax))("%s stays within its bytes: %o", async (entry, { atOnce, later }) => {
  const chunks = await build(entry);
  const [first, ...others] = chunks;
  const atOnceNames = new Set([first?.fileName, ...(first?.imports ?? [])]);
  // Nothing may be left outside the figures.
  expect(
    chunks.flatMap(({ imports }) => imports).filter((name) => !chunks.some(({ fileName }) => fileName === name)),
  ).toEqual([]);
  const bytes = { atOnce: 0, later: 0 };
  for (const { fileName, code } of chunks)
    bytes[atOnceNames.has(fileName) ? "atOnce" : "later"] += gzipSync(code, { level: 9 }).length;
  console.info(
    `@holdfast/client ${entry}: ${bytes.atOnce} bytes gzipped (limit ${atOnce}), ${bytes.later} later (limit ${later}), ${others.length + 1} files`,
  );
  expect(bytes.atOnce).toBeLessThanOrEqual(atOnce);
  expect(bytes.later).toBeLessThanOrEqual(later);
});

async function build(entry: string): Promise<readonly OutputChunk[]> {
  const input = join(unpacked.folder, "node_modules", "@holdfast", "client", "dist", "src", `${entry}.js`);
  const bundle = await rolldown({ input, platform: "browser" });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return output.filter((file) => file.type === "chunk");
}
