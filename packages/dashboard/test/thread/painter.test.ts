// @vitest-environment jsdom
/** The painter on a real xterm: what is drawn, in order, and what hostile output cannot do. */
import { Terminal } from "@xterm/xterm";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { bufferLines, rowsDrawn } from "../../src/features/thread/terminal/bufferText.ts";
import type { DrawStep } from "../../src/features/thread/terminal/drawStep.ts";
import { quiet } from "../../src/features/thread/terminal/drawStep.ts";
import { type Painter, startPainter, writeBytesMax } from "../../src/features/thread/terminal/painter.ts";
import { silence } from "../../src/features/thread/terminal/silence.ts";
import { giveBrowserParts } from "../support/browserParts.ts";

beforeAll(giveBrowserParts);

const opened: { terminal: Terminal; painter: Painter }[] = [];
afterEach(() => {
  for (const { terminal, painter } of opened.splice(0)) {
    painter.stop();
    terminal.dispose();
  }
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const output = (text: string, through = 1): DrawStep => ({ kind: "output", through, bytes: bytes(text) });
const line = (ansi: string, through = 1): DrawStep => ({ kind: "line", through, ansi, fresh: true });

/** Paints all steps, in takes of `perTake`, on a silenced terminal; resolves when the last is on the screen. */
async function paint(steps: readonly DrawStep[], options: { perTake?: number; cols?: number; rows?: number } = {}) {
  const terminal = new Terminal({
    cols: options.cols ?? 40,
    rows: options.rows ?? 10,
    scrollback: 50_000,
    allowProposedApi: true,
  });
  const answers: string[] = [];
  const offsets: number[] = [];
  silence(terminal);
  terminal.onData((text) => answers.push(text));
  const queue = [...steps];
  const last = steps.at(-1)?.through ?? 0;
  await new Promise<void>((resolve) => {
    const painter = startPainter({
      terminal,
      source: {
        take: () => queue.splice(0, options.perTake ?? queue.length),
        onSteps: (listener) => {
          queueMicrotask(listener);
          return () => undefined;
        },
      },
      onPainted: () => {
        offsets.push(painter.offset);
        if (painter.offset >= last) resolve();
      },
    });
    opened.push({ terminal, painter });
  });
  return { terminal, answers, offsets, lines: bufferLines(terminal) };
}

describe("painter", () => {
  it("[I1] draws 20,000 lines once, in order, however they are cut", async () => {
    const all = Array.from({ length: 20_000 }, (_, index) => `line ${index + 1}\r\n`).join("");
    const steps = Array.from({ length: Math.ceil(all.length / 777) }, (_, index) =>
      output(all.slice(index * 777, (index + 1) * 777), index + 1),
    );
    const { terminal, lines, offsets } = await paint(steps, { perTake: 13 });
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, index) => `line ${index + 1}`));
    expect(rowsDrawn(terminal)).toBe(20_000);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBe(steps.length);
  });

  it("keeps a character whole that was cut between two events", async () => {
    const text = bytes("a👩b");
    const { lines } = await paint([
      { kind: "output", through: 1, bytes: text.subarray(0, 3) },
      { kind: "output", through: 2, bytes: text.subarray(3) },
    ]);
    expect(lines).toEqual(["a👩b"]);
  });

  it("[O5] cuts one large event into writes of bounded size", async () => {
    const write = vi.spyOn(Terminal.prototype, "write");
    const { lines } = await paint([output("x".repeat(39).concat("\r\n").repeat(5_000))]);
    const sizes = write.mock.calls.map(([data]) => data.length);
    write.mockRestore();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(writeBytesMax);
    expect(lines).toHaveLength(5_000);
  });

  it("begins a line of ours below everything, with no colour, mode or screen of the program left", async () => {
    const { lines, terminal } = await paint([
      output("one\r\ntwo\r\nthree\u001b[31m\u001b[?1049hALTERNATE\u001b[4h\u001b[2;5r\u001b[?6h\u001b(0", 1),
      line("header\r\n", 2),
      output("after", 3),
    ]);
    expect(lines).toEqual(["one", "two", "three", "header", "after"]);
    expect(terminal.buffer.active.type).toBe("normal");
    const cell = terminal.buffer.active.getLine(3)?.getCell(0);
    expect(cell?.isFgDefault()).toBe(true);
  });

  it("overwrites nothing when a program left the cursor above, or at the start of, what it drew", async () => {
    expect((await paint([output("a\r\nb\r\nc\u001b[H", 1), line("next\r\n", 2)])).lines).toEqual([
      "a",
      "b",
      "c",
      "next",
    ]);
    expect((await paint([output("50 %\r", 1), line("next\r\n", 2)])).lines).toEqual(["50 %", "next"]);
    expect((await paint([output("done\r\n", 1), line("next\r\n", 2)])).lines).toEqual(["done", "next"]);
  });

  it("does not let an unfinished sequence swallow the next command", async () => {
    const { lines } = await paint([output("x\u001b]0;never ended ", 1), line("header\r\n", 2), output("visible", 3)]);
    expect(lines).toEqual(["x", "header", "visible"]);
  });

  it("[ST-3] draws a fresh start, and [ST-10] a keyframe in place of lost bytes", async () => {
    const { lines, terminal, offsets } = await paint([
      output("old", 3),
      { kind: "clear", through: 0, ansi: quiet("history was removed") },
      { kind: "screen", through: 3, cols: 60, rows: 8, bytes: bytes("restored") },
      output(" and on", 4),
    ]);
    expect(lines).toEqual(["restored and on"]);
    expect([terminal.cols, terminal.rows]).toEqual([60, 8]);
    // What was drawn before is not on the screen any more.
    expect(offsets).toEqual([3, 0, 3, 4]);
  });

  it("joins wrapped rows when it is copied", async () => {
    const long = "word ".repeat(30).trim();
    expect((await paint([output(`${long}\r\nshort\r\n\r\n\r\n`)], { cols: 20 })).lines).toEqual([long, "short"]);
  });

  it("draws nothing after it was stopped", async () => {
    const { terminal } = await paint([output("seen")]);
    const [first] = opened;
    first?.painter.stop();
    expect(bufferLines(terminal)).toEqual(["seen"]);
  });
});

/** Sequences that make an emulator answer, report, or reach outside (RELIABILITY.md O4). */
const hostile = [
  "\u001b[c",
  "\u001b[0c",
  "\u001b[>c",
  "\u001b[=c",
  "\u001b[5n",
  "\u001b[6n",
  "\u001b[?6n",
  "\u001b[?15n",
  "\u001b[?996n",
  "\u001b[4$p",
  "\u001b[?2026$p",
  "\u001b[?1$p",
  "\u001b[14t",
  "\u001b[16t",
  "\u001b[18t",
  "\u001b[21t",
  "\u001b[>q",
  "\u001b[>0q",
  "\u001b]4;1;?\u0007",
  "\u001b]10;?\u0007",
  "\u001b]11;?\u001b\\",
  "\u001b]12;?\u0007",
  "\u001b]52;c;?\u0007",
  "\u001b]52;c;QUJD\u0007",
  "\u001bP$qm\u001b\\",
  '\u001bP$q"p\u001b\\',
  "\u001bP+q544e\u001b\\",
  "\u0005",
  "\u001bZ",
  "\u001b[?1004h",
  "\u001b[?1000;1006h",
  "\u001b[?1003h",
  "\u001b[?9h",
  "\u009bc",
  "\u009b6n",
  "\u001b[?u",
  "\u001b[x",
  "\u001b[?1;1000h",
];

describe("silence", () => {
  it("[O4] answers no query, whatever it is and however it is cut", async () => {
    const whole = await paint(hostile.map((sequence, index) => output(sequence, index + 1)));
    expect(whole.answers).toEqual([]);
    const all = bytes(hostile.join("x"));
    const cut = await paint(
      Array.from(
        all,
        (_, index) => ({ kind: "output", through: index + 1, bytes: all.subarray(index, index + 1) }) as const,
      ),
    );
    expect(cut.answers).toEqual([]);
  });

  it("would hear an answer if there was one: the corpus makes a bare terminal talk", async () => {
    const terminal = new Terminal({ allowProposedApi: true });
    const answers: string[] = [];
    terminal.onData((text) => answers.push(text));
    await new Promise<void>((resolve) => terminal.write(hostile.join("x"), resolve));
    terminal.dispose();
    expect(answers.length).toBeGreaterThan(5);
  });

  it("tracks no mouse and reports no focus", async () => {
    const { terminal } = await paint([output("\u001b[?1000h\u001b[?1002;1006h\u001b[?1004h")]);
    expect(terminal.modes.mouseTrackingMode).toBe("none");
    expect(terminal.modes.sendFocusMode).toBe(false);
  });

  it("[O4] takes a repeat of 2,147,483,647 in less than 50 ms a chunk", async () => {
    const begin = performance.now();
    await paint([output("X\u001b[2147483647b")], { cols: 80, rows: 24 });
    expect(performance.now() - begin).toBeLessThan(500);
  });
});
