/** The platform's chance: bytes that nobody else has, though they are asked of the system many at a time. */
import { expect, it } from "vitest";
import { platformRandom } from "../src/ports/platform.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

it("[T8] gives no byte twice, whatever sizes are asked for, and keeps nothing of what it gave", () => {
  const sizes = Array.from({ length: 3_000 }, (_, index) => [10, 16, 32, 4_096, 5_000][index % 5] ?? 0);
  const given = sizes.map((size) => {
    const bytes = platformRandom.bytes(size);
    expect(bytes.length).toBe(size);
    const taken = text(bytes.subarray(0, 10));
    bytes.fill(0);
    return taken;
  });
  expect(new Set(given).size).toBe(given.length);
  expect(given).not.toContain("00".repeat(10));
});
