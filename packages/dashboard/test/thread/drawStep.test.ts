/** What each event draws. */
import { describe, expect, it } from "vitest";
import { type DrawContext, drawStep, headerLinesMax } from "../../src/features/thread/terminal/drawStep.ts";
import { base64, makeEvent, outputEvent } from "../support/sampleData.ts";

const context: DrawContext = { terminal: "thread-1", interactive: false, incomplete: false, textOf: () => "npm test" };
const draw = (event: string, data: unknown, change: Partial<DrawContext> = {}) =>
  drawStep(makeEvent(event, data, 7), { ...context, ...change });

describe("drawStep", () => {
  it("gives the bytes of this thread's terminal exactly", () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
    const step = drawStep(makeEvent("terminal.output", { terminal: "thread-1", data: btoa(all) }), context);
    expect(step).toEqual({ kind: "output", through: 1, bytes: Uint8Array.from({ length: 256 }, (_, index) => index) });
    expect(draw("terminal.output", outputEvent("x", "command-1", "elsewhere").data)).toEqual({
      kind: "nothing",
      through: 7,
    });
  });

  it("[O4] draws a command's text so that it can draw nothing but itself", () => {
    const step = draw(
      "command.started",
      { command: "c" },
      { textOf: () => "echo \u001b]52;c;AAAA\u0007\u009b31m \u202e\r\nrm x" },
    );
    expect(step).toMatchObject({ kind: "line", fresh: true });
    const ansi = step.kind === "line" ? step.ansi : "";
    expect(ansi).toContain("❯ echo ␛]52;c;AAAA␇⟨009B⟩31m ⟨202E⟩␍");
    expect(ansi).toContain("  rm x");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: only our own colours and line ends may be left
    expect(ansi.replaceAll(/\u001b\[[0-9;]*m/g, "").replaceAll("\r\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it("cuts a text of many lines and says so", () => {
    const step = draw("command.started", { command: "c" }, { textOf: () => "x\n".repeat(500) });
    const lines = step.kind === "line" ? step.ansi.split("\r\n") : [];
    expect(lines).toHaveLength(headerLinesMax + 2);
    expect(lines.at(-2)).toContain("the rest");
  });

  it("says how a command ended, its reason made visible", () => {
    const step = draw("command.finished", {
      command: "c",
      outcome: "failed",
      exitCode: 3,
      durationMs: 1_240,
      reason: "bad\u001b[2J",
    });
    expect(step).toMatchObject({
      kind: "line",
      fresh: true,
      ansi: "\u001b[90m· failed · exit 3 · 1.2 s · bad␛[2J\u001b[39m\r\n\r\n",
    });
  });

  it("draws no line of ours into an interactive program's screen", () => {
    expect(draw("command.started", { command: "c" }, { interactive: true }).kind).toBe("nothing");
    expect(
      draw("command.finished", { command: "c", outcome: "completed", durationMs: 1 }, { interactive: true }).kind,
    ).toBe("nothing");
    expect(draw("note", { text: "n" }, { interactive: true }).kind).toBe("nothing");
  });

  it("[ST-10] draws a keyframe only in place of bytes that are gone", () => {
    const screen = { terminal: "thread-1", cols: 100, rows: 30, data: base64("screen") };
    expect(draw("terminal.screen", screen).kind).toBe("nothing");
    expect(draw("terminal.screen", screen, { incomplete: true })).toMatchObject({
      kind: "screen",
      cols: 100,
      rows: 30,
    });
  });

  it("[TR-5] moves on past what it does not know", () => {
    expect(draw("skipped", undefined)).toEqual({ kind: "nothing", through: 7 });
  });
});
