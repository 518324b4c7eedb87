/**
 * The terminal's colours, read from the page's tokens (`theme.css`), so that there is one place for them.
 *
 * A token may be `light-dark(…)`, which only a used value resolves; a probe element gives that value.
 */
import type { ITheme } from "@xterm/xterm";

const tokens = {
  background: "--terminal-surface",
  foreground: "--terminal-text",
  cursor: "--terminal-text",
  cursorAccent: "--terminal-surface",
  selectionBackground: "--terminal-selection",
  selectionInactiveBackground: "--terminal-selection",
  scrollbarSliderBackground: "--line",
  scrollbarSliderHoverBackground: "--line-strong",
  scrollbarSliderActiveBackground: "--line-strong",
  black: "--terminal-black",
  red: "--terminal-red",
  green: "--terminal-green",
  yellow: "--terminal-yellow",
  blue: "--terminal-blue",
  magenta: "--terminal-magenta",
  cyan: "--terminal-cyan",
  white: "--terminal-white",
  brightBlack: "--terminal-bright-black",
  brightRed: "--terminal-bright-red",
  brightGreen: "--terminal-bright-green",
  brightYellow: "--terminal-bright-yellow",
  brightBlue: "--terminal-bright-blue",
  brightMagenta: "--terminal-bright-magenta",
  brightCyan: "--terminal-bright-cyan",
  brightWhite: "--terminal-bright-white",
} as const satisfies Partial<Record<keyof ITheme, string>>;

export function readTheme(within: HTMLElement): ITheme {
  return Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, readColour(within, token)]));
}

/** A token's used value as `#rrggbb`. */
export function readColour(within: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}
