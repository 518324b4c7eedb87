/** What is invisible in somebody else's text is shown. */
import { describe, expect, it } from "vitest";
import { visibleText } from "../../src/shared/format/visibleText.ts";

describe("visibleText", () => {
  it("[O6] shows control, bidirectional and zero-width characters", () => {
    expect(visibleText("a\u001b[31mb\u007f")).toBe("a␛[31mb␡");
    expect(visibleText("rm \u202e-rf\u200b /")).toBe("rm ⟨202E⟩-rf⟨200B⟩ /");
    expect(visibleText("\u009b31m")).toBe("⟨009B⟩31m");
    expect(visibleText("\u{e0041}")).toBe("⟨E0041⟩");
  });

  it("[O6] leaves no character that a terminal would obey, whatever the text", () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join("");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
    expect(visibleText(all)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
  });

  it("keeps line breaks only where asked, and everything visible as it is", () => {
    expect(visibleText("a\nb")).toBe("a↵b");
    expect(visibleText("a\nb\r\n", { keepLines: true })).toBe("a\nb␍\n");
    expect(visibleText("Grüße 👩‍💻 日本".replace("\u200d", ""))).toBe("Grüße 👩💻 日本");
  });

  it("shows a lone surrogate rather than passing it on", () => {
    expect(visibleText("x\ud800y")).toBe("x⟨D800⟩y");
  });
});
