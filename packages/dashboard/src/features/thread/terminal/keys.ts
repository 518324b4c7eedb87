/**
 * Which keys go to the terminal, and which stay the page's.
 *
 * Watching: none goes to the terminal, so Tab moves on and shortcuts work; arrows, Page and Home/End scroll.
 * In control: all go, but Shift+Escape, which gives the control back (no keyboard trap, WCAG 2.1.2), and
 * copying a selection. Find (Ctrl/Cmd+F) is the page's while watching, Ctrl/Cmd+Shift+F always.
 */
import type { Terminal } from "@xterm/xterm";

export interface KeyOptions {
  readonly terminal: Pick<Terminal, "hasSelection" | "scrollLines" | "scrollPages" | "scrollToTop" | "scrollToBottom">;
  readonly inControl: () => boolean;
  readonly onRelease: () => void;
  readonly onFind: () => void;
}

/** For `attachCustomKeyEventHandler`: true lets xterm have the key. */
export function keyHandler(options: KeyOptions): (event: KeyboardEvent) => boolean {
  return (event) => {
    if (isFind(event) && (event.shiftKey || !options.inControl())) {
      taken(event, options.onFind);
      return false;
    }
    if (!options.inControl()) {
      scroll(event, options.terminal);
      return false;
    }
    if (event.key === "Escape" && event.shiftKey) {
      taken(event, options.onRelease);
      return false;
    }
    return !(isCopy(event) && options.terminal.hasSelection());
  };
}

const isFind = (event: KeyboardEvent): boolean =>
  (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "f";

const isCopy = (event: KeyboardEvent): boolean => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "c";

function taken(event: KeyboardEvent, run: () => void): void {
  event.preventDefault();
  if (event.type === "keydown") run();
}

function scroll(event: KeyboardEvent, terminal: KeyOptions["terminal"]): void {
  if (event.type !== "keydown" || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = scrollOf(event.key, terminal);
  if (action !== undefined) taken(event, action);
}

function scrollOf(key: string, terminal: KeyOptions["terminal"]): (() => void) | undefined {
  switch (key) {
    case "ArrowUp":
      return () => terminal.scrollLines(-1);
    case "ArrowDown":
      return () => terminal.scrollLines(1);
    case "PageUp":
      return () => terminal.scrollPages(-1);
    case "PageDown":
      return () => terminal.scrollPages(1);
    case "Home":
      return () => terminal.scrollToTop();
    case "End":
      return () => terminal.scrollToBottom();
    default:
      return undefined;
  }
}
