/** What `npm run bench` takes, and how it refuses. */
import { describe, expect, it } from "vitest";
import { readCommandLine, UsageError } from "../src/commandLine.ts";
import { catchUp } from "../src/questions/catchUp.ts";
import { verdictOf } from "../src/questions/question.ts";
import { percentile, spreadOf } from "../src/statistics.ts";

describe("the bench's command line", () => {
  it("takes a question with its defaults, or what is said", () => {
    expect(readCommandLine(["catch-up"], [catchUp])).toMatchObject({
      question: catchUp,
      ...catchUp.defaults,
      keep: true,
    });
    const asked = readCommandLine(
      ["catch-up", "--seconds", "2", "--runs=1", "--peers", "nats,ws", "--dry-run"],
      [catchUp],
    );
    expect(asked).toMatchObject({ seconds: 2, runs: 1, peers: ["nats", "ws"], keep: false });
  });

  it.each([
    [[]],
    [["speed"]],
    [["catch-up", "--runs", "0"]],
    [["catch-up", "--peers", "kafka"]],
    [["catch-up", "--fast"]],
  ])("refuses %j with what to say", (parameters) => {
    expect(() => readCommandLine(parameters, [catchUp])).toThrow(UsageError);
  });
});

describe("figures", () => {
  it("median, spread, percentile", () => {
    expect(spreadOf([3, 1, 2])).toMatchObject({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it("judges by the median, in the direction asked", () => {
    const seen = spreadOf([10, 12, 11]);
    const finding = { what: "", unit: "", seen };
    expect(verdictOf({ ...finding, goal: 11 })).toBe("goal");
    expect(verdictOf({ ...finding, goal: 10, floor: 11 })).toBe("floor");
    expect(verdictOf({ ...finding, goal: 12, floor: 11, atLeast: true })).toBe("floor");
    expect(verdictOf({ ...finding, goal: 10 })).toBe("missed");
    expect(verdictOf(finding)).toBe("no goal");
  });
});
