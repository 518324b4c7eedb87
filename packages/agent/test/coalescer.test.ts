import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { typed } from "../src/programs/typing.ts";
import { Coalescer, coalesceBytesMax, coalesceMsMax } from "../src/terminal/coalescer.ts";
import { type Mark, MarkReader } from "../src/terminal/marks.ts";

const arrivals = fc.array(
  fc.record({
    size: fc.oneof(fc.nat(64), fc.nat(3 * coalesceBytesMax), fc.constant(coalesceBytesMax)),
    wait: fc.oneof(fc.nat(3), fc.nat(60)),
  }),
  { maxLength: 25 },
);

/** Feeds the arrivals and obeys `dueAt` as a timer does; returns what came out and when. */
function run(steps: readonly { readonly size: number; readonly wait: number }[]) {
  const coalescer = new Coalescer();
  const input: number[] = [];
  const output: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let now = 1_000;
  let counter = 0;
  const put = (pieces: readonly Uint8Array[]): void => void output.push(...pieces.map((bytes) => ({ at: now, bytes })));
  for (const { size, wait } of steps) {
    const bytes = Uint8Array.from({ length: size }, () => counter++ % 251);
    input.push(...bytes);
    put(coalescer.push(bytes, now));
    const until = now + wait;
    while (coalescer.dueAt !== undefined && coalescer.dueAt <= until) {
      now = Math.max(now, coalescer.dueAt);
      put(coalescer.take(now));
    }
    now = until;
  }
  put(coalescer.take(now));
  return { input: Buffer.from(input), output, held: coalescer.dueAt };
}

describe("the coalescer", () => {
  it("[PB-4] gives out what came in, in order, in pieces that an event takes", () => {
    fc.assert(
      fc.property(arrivals, (steps) => {
        const { input, output, held } = run(steps);
        expect(Buffer.concat(output.map(({ bytes }) => bytes)).equals(input)).toBe(true);
        for (const { bytes } of output) expect(bytes.length).toBeLessThanOrEqual(coalesceBytesMax);
        expect(held).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("gives out a piece that is not full at most every 16 ms", () => {
    fc.assert(
      fc.property(arrivals, (steps) => {
        const { output } = run(steps);
        const partial = output.slice(0, -1);
        for (let index = 1; index < partial.length; index += 1) {
          const [before, piece] = [partial[index - 1], partial[index]];
          if (before === undefined || piece === undefined || piece.bytes.length === coalesceBytesMax) continue;
          expect(piece.at - before.at).toBeGreaterThanOrEqual(coalesceMsMax);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("lets the first bytes after a pause through at once, and what follows after 16 ms", () => {
    const coalescer = new Coalescer();
    expect(coalescer.push(Buffer.from("a"), 100)).toHaveLength(1);
    expect(coalescer.push(Buffer.from("b"), 101)).toHaveLength(0);
    expect(coalescer.push(Buffer.from("c"), 102)).toHaveLength(0);
    expect(coalescer.dueAt).toBe(116);
    expect(coalescer.take(116).map((bytes) => Buffer.from(bytes).toString())).toEqual(["bc"]);
    expect(coalescer.push(Buffer.from("d"), 132)).toHaveLength(1);
  });
});

describe("shell-integration marks", () => {
  const parts = fc.array(
    fc.oneof(
      fc.constantFrom(
        "\u001b]133;A\u0007",
        "\u001b]133;C\u001b\\",
        "\u001b]133;D;1\u0007",
        "\u001b]133;D\u0007",
        "\u001b]0;133;C\u0007",
      ),
      fc.constantFrom("text", "\u001b[1m", "\u001b", "\u0007", `\u001b]133;D;${"9".repeat(400)}\u0007`),
    ),
    { maxLength: 20 },
  );

  it("are found at the same places wherever the output is cut", () => {
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 8 }), (texts, cuts) => {
        const bytes = Buffer.from(texts.join(""));
        const whole = new MarkReader().read(bytes);
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
        const reader = new MarkReader();
        const found: { mark: Mark; at: number }[] = [];
        for (const [index, start] of [0, ...places].entries()) {
          for (const { mark, at } of reader.read(bytes.subarray(start, places[index] ?? bytes.length)))
            found.push({ mark, at: at + start });
        }
        expect(found).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it("carry the exit code, and are nothing else", () => {
    const bytes = Buffer.from(
      "\u001b]133;A\u0007$ ls\u001b]133;C\u0007out\u001b]133;D;2\u001b\\\u001b]1337;D\u0007\u001b]133;Z\u0007",
    );
    expect(new MarkReader().read(bytes)).toEqual([
      { mark: { kind: "prompt" }, at: 8 },
      { mark: { kind: "start" }, at: 20 },
      { mark: { kind: "end", exitCode: 2 }, at: 34 },
    ]);
  });
});

describe("typing", () => {
  it.each([
    ["one line", false, "one line\r"],
    ["one line", true, "one line\r"],
    ["two\nlines", false, "two\rlines\r"],
    ["two\r\nlines", true, "\u001b[200~two\rlines\u001b[201~\r"],
    ["escape\n\u001b[201~rm -rf *", true, "\u001b[200~escape\r[201~rm -rf *\u001b[201~\r"],
  ])("%j, brackets %s", (text, brackets, expected) => {
    expect(Buffer.from(typed(text, brackets)).toString()).toBe(expected);
  });
});
