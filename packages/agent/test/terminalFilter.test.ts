import { createTerminalFilter, lineRepeatMax, stringBytesMax } from "@holdfast/protocol/terminalFilter";
import headless from "@xterm/headless";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const through = (text: string): string => decode(createTerminalFilter()(encode(text)));

/** Harmless output as programs write it, in whole sequences. */
const harmless = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }).map((text) => text.replace(/\p{Cc}/gu, "")),
    fc.constantFrom("\r\n", "\t", "\b", "\u0007", "é", "日本", "👩‍🚀", "─".repeat(40)),
    fc
      .tuple(
        fc.constantFrom("A", "B", "H", "J", "K", "m", "L", "b", "h", "l", "r", " q"),
        fc.array(fc.nat(99), { maxLength: 5 }),
      )
      .map(([final, numbers]) => `\u001b[${numbers.join(";")}${final}`),
    fc.constantFrom(
      "\u001b7",
      "\u001b8",
      "\u001b(B",
      "\u001bM",
      "\u001b[?2026h",
      "\u001b[?1049h",
      "\u001b[38:2::1:2:3m",
      "\u001b[>4;1m",
      "\u001b[!p",
    ),
    fc.constantFrom(
      "\u001b]0;title é\u0007",
      "\u001b]8;;https://example.org\u001b\\",
      "\u001b]133;D;0\u0007",
      "\u001bP$q m\u001b\\",
      "\u001b_G\u001b\\",
    ),
  ),
  { maxLength: 30 },
);
/** Anything at all, rich in what opens, ends and hides sequences. */
const hostile = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom(
          "\u001b",
          "\u001b[",
          "\u001b]",
          "\u001b]52;c;",
          "\u001bP",
          "\u0007",
          "\u001b\\",
          "\u009b",
          "\u009d",
          "\u009c",
          "2147483647",
          "b",
          "S",
          "0",
          ";",
          "52",
          "\u0018",
          "\u0000",
          "\u007f",
        )
        .map(encode),
      fc.constantFrom([0xc2], [0x9b], [0xff], [0xe2, 0x82], [0xed, 0xa0, 0x80]).map((bytes) => Uint8Array.from(bytes)),
      fc.constant(new Uint8Array(stringBytesMax).fill(0x61)),
    ),
    { maxLength: 40 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

/** Every whole sequence: CSI, OSC, the other strings, the rest. */
const [esc, bel, can, sub] = ["\u001b", "\u0007", "\u0018", "\u001a"];
const sequences = new RegExp(
  [
    `${esc}\\[[<-?]?[0-9:;]*[ -/]*[@-~]`,
    `${esc}\\][^${bel}${esc}${can}${sub}]*(?:${bel}|${esc}\\\\)`,
    `${esc}[PX^_][^${esc}${can}${sub}]*${esc}\\\\`,
    `${esc}[ -/]+[0-~]`,
    `${esc}[0-OQ-WYZ\\\\\`-~]`,
  ].join("|"),
  "g",
);

function inPieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array {
  const filter = createTerminalFilter();
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
  const pieces = [0, ...places].map((start, index) => filter(bytes.subarray(start, places[index] ?? bytes.length)));
  return new Uint8Array(Buffer.concat(pieces));
}

describe("[O4] the terminal filter", () => {
  it("passes harmless output unchanged", () => {
    fc.assert(
      fc.property(harmless, (parts) => {
        const filter = createTerminalFilter();
        expect(decode(filter(encode(parts.join(""))))).toBe(parts.join(""));
        expect(filter.atRest).toBe(true);
      }),
    );
  });

  it("gives the same bytes wherever the chunks are cut", () => {
    fc.assert(
      fc.property(hostile, fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
        expect(Buffer.from(inPieces(bytes, cuts))).toEqual(Buffer.from(createTerminalFilter()(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it("lets through whole, valid, bounded sequences only, whatever comes", () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(createTerminalFilter()(bytes));
        const rest = text.replace(sequences, (sequence) => {
          expect(encode(sequence).length).toBeLessThanOrEqual(stringBytesMax + 2);
          expect(sequence).not.toMatch(/^.\]0*52(?:\D|$)/);
          const numbers = sequence[1] === "[" ? (sequence.match(/\d+/g) ?? []) : [];
          expect(Math.max(0, ...numbers.map(Number))).toBeLessThanOrEqual(9_999);
          return "";
        });
        for (const opener of ["\u001b", "\u009b", "\u009d", "\u0090"]) expect(rest).not.toContain(opener);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["repeat", "X\u001b[2147483647b", "X\u001b[1000b"],
    ["8-bit CSI", "X\u009b2147483647b", "X\u001b[1000b"],
    ["scroll", "\u001b[9999S", `\u001b[${lineRepeatMax}S`],
    ["move", "\u001b[2147483647;5H", "\u001b[9999;5H"],
    ["clipboard", "a\u001b]52;c;QQ==\u0007b", "ab"],
    ["clipboard, disguised by zeros", "a\u001b]0052;c;QQ==\u001b\\b", "ab"],
    ["clipboard, disguised by a NUL", "a\u001b]5\u00002;c;QQ==\u0007b", "ab"],
    ["an endless title", `a\u001b]0;${"t".repeat(10_000)}\u0007b`, "ab"],
    ["an endless CSI", `a\u001b[${"1;".repeat(500)}mb`, "ab"],
    ["a malformed CSI", "a\u001b[ 0Sb\u001b[5?Lc", "abc"],
    ["a cancelled sequence", "a\u001b[12\u0018mb", "amb"],
    ["a control inside a sequence acts first", "\u001b[1\n2m", "\n\u001b[12m"],
    ["ESC ends a string and begins a sequence", "\u001b]0;t\u001b[1m", "\u001b]0;t\u001b\\\u001b[1m"],
    ["a string inside a string", "\u001bPx\u001b]52;c;QQ==\u0007y", "\u001bPx\u001b\\y"],
  ])("%s", (_name, input, expected) => {
    expect(through(input)).toBe(expected);
  });

  it("invalid bytes cannot split a sequence for us and join it for an emulator", () => {
    const bytes = new Uint8Array([0x1b, 0x5b, 0xff, 0x39, 0xc2, 0x39, 0x39, 0x39, 0x39, 0x39, 0x53]);
    expect(decode(createTerminalFilter()(bytes))).toBe(`\u001b[${lineRepeatMax}S`);
  });

  it("a character that breaks off takes nothing with it", () => {
    const bytes = new Uint8Array([0xe2, 0x82, 0x1b, 0x5b, 0x31, 0x6d, 0xc2, 0x41, 0xf0, 0x9f, 0xc3, 0xa9]);
    expect(decode(createTerminalFilter()(bytes))).toBe("\u001b[1mAé");
  });

  it("caps repeats at the size where it is known", () => {
    const filter = createTerminalFilter(() => ({ cols: 300, rows: 50 }));
    expect(decode(filter(encode("\u001b[299b\u001b[301b\u001b[51S\u001b[9999C")))).toBe(
      "\u001b[299b\u001b[300b\u001b[50S\u001b[9999C",
    );
  });

  it("keeps xterm busy for well under a second where it would take minutes", async () => {
    const terminal = new headless.Terminal({ cols: 80, rows: 24, scrollback: 1_000, allowProposedApi: true });
    const filter = createTerminalFilter(() => terminal);
    const started = performance.now();
    for (const attack of ["X\u001b[2147483647b", "\u001b[2147483647S", "\u001b[2147483647L"]) {
      await new Promise<void>((resolve) => terminal.write(filter(encode(attack.repeat(100))), resolve));
    }
    expect(performance.now() - started).toBeLessThan(2_000);
    terminal.dispose();
  });
});
