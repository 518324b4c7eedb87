/** Ages and durations have their unit. */
import { describe, expect, it } from "vitest";
import { age, duration } from "../../src/shared/format/time.ts";

describe("time in words", () => {
  it("tells an age in one unit, and never a negative one", () => {
    expect(
      [-5_000, 0, 4_999, 5_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000 * 3].map((ms) => age(0, ms)),
    ).toEqual(["now", "now", "now", "5 s", "59 s", "1 min", "59 min", "1 h", "3 d"]);
  });

  it("tells a duration", () => {
    expect([0, 84, 999, 1_000, 1_290, 9_999, 42_000, 185_000, 7_440_000].map(duration)).toEqual([
      "0 ms",
      "84 ms",
      "999 ms",
      "1.0 s",
      "1.2 s",
      "9.9 s",
      "42 s",
      "3 min 5 s",
      "2 h 4 min",
    ]);
  });
});
