/**
 * How far a terminal has been drawn, and what came while the person was reading further up: told at most
 * once a frame, whatever the rate of output.
 */
import type { IMarker, Terminal } from "@xterm/xterm";
import { pageClock } from "../../../shared/platform/clockShell.ts";
import { rowsDrawn } from "./bufferText.ts";

export interface TerminalProgress {
  /** Rows from the buffer's start to the cursor. */
  readonly lines: number;
  /** Last event on the screen. */
  readonly offset: number;
  /** The view is not at the end. */
  readonly isAbove: boolean;
  /** Lines that came since the view left the end. */
  readonly unseen: number;
}

export function reportProgress(
  terminal: Terminal,
  offset: () => number,
  report: (progress: TerminalProgress) => void,
): { changed: () => void; stop: () => void } {
  let stopFrame: (() => void) | undefined;
  /** Where the output ended when the view left the end; it moves with the buffer. */
  let left: IMarker | undefined;
  const look = (): void => {
    stopFrame = undefined;
    const buffer = terminal.buffer.active;
    const isAbove = buffer.viewportY < buffer.baseY;
    if (!isAbove) {
      left?.dispose();
      left = undefined;
    } else left ??= terminal.registerMarker(0);
    report({ lines: rowsDrawn(terminal), offset: offset(), isAbove, unseen: unseenLines(terminal, left) });
  };
  const changed = (): void => {
    stopFrame ??= pageClock.frame(look);
  };
  const listening = terminal.onScroll(changed);
  return {
    changed,
    stop: () => {
      listening.dispose();
      left?.dispose();
      stopFrame?.();
    },
  };
}

/** A marker that was scrolled out of the buffer stands for all of it. */
function unseenLines(terminal: Terminal, left: IMarker | undefined): number {
  if (left === undefined) return 0;
  const buffer = terminal.buffer.active;
  return left.isDisposed ? buffer.length : Math.max(0, buffer.baseY + buffer.cursorY - left.line);
}
