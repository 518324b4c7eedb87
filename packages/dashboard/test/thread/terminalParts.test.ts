/** The small parts of the terminal: its size, its links, what is typed. */
import { describe, expect, it } from "vitest";
import { fontSizeBase, fontSizeFor, fontSizeMin, gridFor, gridRule } from "../../src/features/thread/terminal/grid.ts";
import { addressesIn, safeAddress } from "../../src/features/thread/terminal/links.ts";
import {
  base64Of,
  TerminalInput,
  type TerminalInputProblem,
  waitingBytesMax,
  writesUnderWayMax,
} from "../../src/features/thread/terminal/terminalInput.ts";

describe("grid", () => {
  it("is the room's in control, the agent's while watching, and at least the agent's for commands", () => {
    const agent = { cols: 80, rows: 24 };
    const room = { cols: 48, rows: 60 };
    expect(gridFor(gridRule({ interactive: true, control: true }), agent, room)).toEqual(room);
    expect(gridFor(gridRule({ interactive: true, control: false }), agent, room)).toEqual(agent);
    expect(gridFor(gridRule({ interactive: false, control: true }), agent, room)).toEqual({ cols: 80, rows: 60 });
    expect(gridFor(gridRule({ interactive: false, control: false }), agent, { cols: 120, rows: 30 })).toEqual({
      cols: 120,
      rows: 30,
    });
  });

  it("scales letters down until the agent's columns fit, never below what can be read", () => {
    const agent = { cols: 80, rows: 24 };
    expect(fontSizeFor("agent", agent, 1_000, 0.6)).toBe(fontSizeBase);
    expect(fontSizeFor("agent", agent, 480, 0.6)).toBe(10);
    expect(fontSizeFor("agent", agent, 200, 0.6)).toBe(fontSizeMin);
    expect(fontSizeFor("room", agent, 200, 0.6)).toBe(fontSizeBase);
  });
});

describe("links", () => {
  it("[O1] opens http and https only", () => {
    expect(safeAddress("https://example.com/a?b=1")).toBe("https://example.com/a?b=1");
    for (const bad of [
      "javascript:alert(1)",
      "java\tscript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "vbscript:x",
      "mailto:a@b",
      "//x",
      "x",
      `https://${"a".repeat(3_000)}`,
    ]) {
      expect(safeAddress(bad), bad).toBeUndefined();
    }
  });

  it("finds addresses in text without the sentence around them", () => {
    expect(addressesIn("see (https://example.com/a), or http://b.example/x.")).toEqual([
      { start: 5, address: "https://example.com/a" },
      { start: 32, address: "http://b.example/x" },
    ]);
  });
});

describe("TerminalInput", () => {
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  function makeInput(change: { linked?: boolean; fail?: boolean } = {}) {
    const sent: string[] = [];
    const bytes: Buffer[] = [];
    const answers: (() => void)[] = [];
    const problems: TerminalInputProblem[] = [];
    const input = new TerminalInput({
      isLinked: () => change.linked ?? true,
      onProblem: (problem) => problems.push(problem),
      send: (data) => {
        bytes.push(Buffer.from(data, "base64"));
        sent.push(bytes.at(-1)?.toString() ?? "");
        return change.fail ? Promise.reject(new Error("no")) : new Promise<void>((resolve) => answers.push(resolve));
      },
    });
    return { input, sent, bytes, answers, problems };
  }

  it("sends keys at once, and gathers those that come while many are under way, in order", async () => {
    const { input, sent, answers } = makeInput();
    for (const key of "abcdefghijklm") input.type(key);
    expect(sent).toEqual([..."abcdefgh"]);
    expect(sent).toHaveLength(writesUnderWayMax);
    answers[0]?.();
    await settled();
    expect(sent.at(-1)).toBe("ijklm");
  });

  it("cuts a paste into requests and loses no byte of it", async () => {
    const { input, sent, bytes, answers } = makeInput();
    const text = "é".repeat(100_000);
    input.type(text);
    for (let turn = 0; turn < 20; turn += 1) {
      for (const answer of answers.splice(0)) answer();
      await settled();
    }
    expect(Buffer.concat(bytes).toString()).toBe(text);
    expect(sent.length).toBe(Math.ceil(200_000 / 45_000));
  });

  it("refuses a paste above its limit whole, and says how large it was", () => {
    const { input, sent, problems } = makeInput();
    input.type("x".repeat(waitingBytesMax + 1));
    expect(sent).toEqual([]);
    expect(problems).toEqual([{ kind: "tooLarge", bytes: waitingBytesMax + 1 }]);
  });

  it("types nothing at a screen that is old", () => {
    const { input, sent, problems } = makeInput({ linked: false });
    input.type("rm -rf x\r");
    expect(sent).toEqual([]);
    expect(problems).toEqual([{ kind: "notLinked" }]);
  });

  it("drops what waits behind a write that failed", async () => {
    const { input, sent, problems } = makeInput({ fail: true });
    for (const key of "abcdefghijkl") input.type(key);
    await settled();
    expect(sent).toEqual([..."abcdefgh"]);
    expect(problems[0]).toMatchObject({ kind: "failed" });
  });

  it("encodes bytes", () => {
    expect(base64Of([0, 255, 10])).toBe(Buffer.from([0, 255, 10]).toString("base64"));
  });
});
