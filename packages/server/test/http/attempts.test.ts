import { describe, expect, test } from "vitest";
import { createAttempts, normalAddress } from "../../src/http/attempts.ts";

function world() {
  let now = 0;
  const attempts = createAttempts({ monotonic: () => now });
  const wrong = (address: string, times: number) => Array.from({ length: times }, () => attempts.begin(address));
  return { attempts, wrong, pass: (ms: number) => (now += ms) };
}

describe("[W7] attempts", () => {
  test("the eleventh within a minute waits for the rest of it", () => {
    const { wrong, pass } = world();
    expect(wrong("192.0.2.1", 10)).toEqual(Array.from({ length: 10 }, () => 0));
    pass(59_000);
    expect(wrong("192.0.2.1", 1)).toEqual([1_000]);
    pass(1_000);
    expect(wrong("192.0.2.1", 1)).toEqual([0]);
  });

  test("what is given back was never counted, and never gives more than there was", () => {
    const { attempts, wrong } = world();
    for (let index = 0; index < 50; index += 1) {
      expect(attempts.begin("a")).toBe(0);
      attempts.giveBack("a");
      attempts.giveBack("a");
    }
    expect(wrong("a", 11).filter((wait) => wait > 0)).toHaveLength(1);
  });

  test("the table is bounded; the oldest address gives way", () => {
    const { wrong } = world();
    wrong("first", 10);
    for (let index = 0; index < 1_000; index += 1) wrong(`192.0.${index >> 8}.${index & 255}`, 10);
    expect(wrong("first", 1)).toEqual([0]);
    expect(wrong("192.0.3.231", 1)).not.toEqual([0]);
  });

  test.each([
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:0DB8:0:0:ffff:1:2:3", "2001:db8:0:0"],
    ["2001:db8:1::", "2001:db8:1:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ])("%s counts as %s", (address, normal) => {
    expect(normalAddress(address)).toBe(normal);
  });
});
