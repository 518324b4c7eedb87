/** Ids: their time, their version, their order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMonotonicIds, isUuid, uuidv7, uuidv7TimeMs } from "../src/ids.ts";

const bytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

test("[RQ-1] a UUIDv7 tells its time, whatever the random bytes", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 1 }), fc.uint8Array({ minLength: 10, maxLength: 10 }), (time, random) => {
      const id = uuidv7(time, random);
      expect([isUuid(id), uuidv7TimeMs(id)]).toEqual([true, time]);
    }),
  );
});

test("ids rise in the order of making, also when the clock stands still or jumps back", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 }), { minLength: 2, maxLength: 200 }), (times) => {
      const make = createMonotonicIds(bytes);
      const ids = times.map((time) => make(1_780_000_000_000 + time));
      expect([...ids].sort()).toEqual(ids);
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
  const make = createMonotonicIds(bytes);
  const many = Array.from({ length: 10_000 }, () => make(7));
  expect([...many].sort()).toEqual(many);
});
