/**
 * Draws a thread's steps on a terminal, in order, never faster than the terminal takes them.
 *
 *   feed.take() → [step …] → filter → terminal.write(≤ 4 KiB) → written → next
 *
 * One write is under way at a time; the next goes out in its callback. xterm works through such a chain in
 * slices of 12 ms, so the page stays responsive however long the log is. Invariant: a step's offset is told
 * only after its last byte is on the screen. Raw output passes the filter (O4), lines of ours do not.
 */
import { createTerminalFilter, type TerminalFilter } from "@holdfast/protocol/terminalFilter";
import type { Terminal } from "@xterm/xterm";
import type { DrawStep } from "./drawStep.ts";
import { resetSequence, toFreshLine } from "./freshLine.ts";

/** What is taken from the feed at once. */
export const takeBytesMax = 64 * 1024;
/** One write: small, since xterm looks at its clock only between writes. */
export const writeBytesMax = 4 * 1024;

export interface StepSource {
  take(bytesMax: number): readonly DrawStep[];
  onSteps(listener: () => void): () => void;
}

export interface Painter {
  /** The last offset that is on the screen; 0 before the first. */
  readonly offset: number;
  stop(): void;
}

export function startPainter(options: { terminal: Terminal; source: StepSource; onPainted: () => void }): Painter {
  const painter = new TerminalPainter(options.terminal, options.source, options.onPainted);
  const stopListening = options.source.onSteps(() => painter.wake());
  return {
    get offset() {
      return painter.offset;
    },
    stop: () => {
      stopListening();
      painter.stopped = true;
    },
  };
}

class TerminalPainter {
  offset = 0;
  stopped = false;
  private readonly terminal: Terminal;
  private readonly source: StepSource;
  private readonly onPainted: () => void;
  private filter: TerminalFilter;
  private steps: DrawStep[] = [];
  private busy = false;

  constructor(terminal: Terminal, source: StepSource, onPainted: () => void) {
    this.terminal = terminal;
    this.source = source;
    this.onPainted = onPainted;
    this.filter = this.newFilter();
  }

  wake(): void {
    if (!this.busy) this.next();
  }

  private next(): void {
    this.busy = false;
    if (this.stopped) return;
    if (this.steps.length === 0) this.steps = [...this.source.take(takeBytesMax)];
    const step = this.steps.shift();
    if (step === undefined) return;
    this.busy = true;
    this.paint(step);
  }

  private paint(step: DrawStep): void {
    switch (step.kind) {
      case "output":
        this.output(this.joined(step));
        return;
      case "line":
        this.line(step);
        return;
      case "screen":
        this.restart();
        this.terminal.resize(step.cols, step.rows);
        this.output(step);
        return;
      case "clear":
        this.restart();
        this.offset = 0;
        this.write(step.ansi, () => this.done(step.through));
        return;
      case "nothing":
        this.done(step.through);
        return;
    }
  }

  /** Many small outputs in a row are one write. */
  private joined(first: { through: number; bytes: Uint8Array }): { through: number; bytes: Uint8Array } {
    const parts = [first.bytes];
    let { through } = first;
    let length = first.bytes.length;
    while (length < writeBytesMax) {
      const step = this.steps[0];
      if (step?.kind !== "output") break;
      this.steps.shift();
      parts.push(step.bytes);
      length += step.bytes.length;
      through = step.through;
    }
    if (parts.length === 1) return first;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { through, bytes };
  }

  private output(step: { readonly through: number; readonly bytes: Uint8Array }, from = 0): void {
    const end = Math.min(from + writeBytesMax, step.bytes.length);
    const safe = this.filter(step.bytes.subarray(from, end));
    this.write(safe, () => (end < step.bytes.length ? this.output(step, end) : this.done(step.through)));
  }

  private line(step: DrawStep & { kind: "line" }): void {
    if (!step.fresh) {
      const start = this.terminal.buffer.active.cursorX === 0 ? "" : "\r\n";
      this.write(start + step.ansi, () => this.done(step.through));
      return;
    }
    this.filter = this.newFilter();
    this.write(resetSequence(this.terminal), () =>
      this.write(toFreshLine(this.terminal) + step.ansi, () => this.done(step.through)),
    );
  }

  private restart(): void {
    this.filter = this.newFilter();
    this.terminal.reset();
  }

  private write(data: string | Uint8Array, then: () => void): void {
    this.terminal.write(data, () => {
      if (!this.stopped) then();
    });
  }

  private done(through: number): void {
    this.offset = Math.max(this.offset, through);
    this.onPainted();
    this.next();
  }

  private newFilter(): TerminalFilter {
    return createTerminalFilter(() => ({ cols: this.terminal.cols, rows: this.terminal.rows }));
  }
}
