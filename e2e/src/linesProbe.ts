/**
 * Watches from outside how the terminal of a page grows: each change of its line count, with its time.
 *
 * The watching script is put into every document of the context before the page's own, so a reload is watched
 * through. It looks once a frame, since what is not drawn nobody sees. Times are milliseconds since 1970.
 */
import type { BrowserContext } from "playwright-core";

interface LinesSample {
  readonly at: number;
  /** Rows of the terminal's buffer; -1 where the page shows no terminal. */
  readonly lines: number;
}

export interface LinesProbe {
  /** Rows shown now. */
  readonly lines: () => number;
  /** The longest time between two moments at which more was shown than ever before. */
  longestPauseMs(): number;
}

declare global {
  interface Window {
    /** Put there by the probe. */
    linesChanged?: (at: number, lines: number) => void;
  }
}

export async function watchLines(context: BrowserContext): Promise<LinesProbe> {
  const samples: LinesSample[] = [];
  await context.exposeBinding("linesChanged", (_source, at: number, lines: number) => {
    samples.push({ at, lines });
  });
  await context.addInitScript(() => {
    let last = -1;
    const look = (): void => {
      const terminal = document.querySelector<HTMLElement>('[data-testid="terminal"]');
      const lines = terminal === null ? -1 : Number(terminal.dataset["lines"]);
      if (lines !== last) {
        last = lines;
        window.linesChanged?.(performance.timeOrigin + performance.now(), lines);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  return {
    lines: () => samples.at(-1)?.lines ?? -1,
    longestPauseMs: () => {
      let most = 0;
      let since: number | undefined;
      let longest = 0;
      for (const { at, lines } of samples) {
        if (lines <= most) continue;
        if (since !== undefined) longest = Math.max(longest, at - since);
        most = lines;
        since = at;
      }
      return longest;
    },
  };
}
