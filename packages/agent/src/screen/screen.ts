/**
 * The agent's own terminal: what the bytes of one terminal look like.
 *
 * It exists for two things: keyframes (a late viewer gets the screen instead of megabytes), and answering
 * device queries once, here, so that no viewer ever does. Fed through the terminal filter in small pieces, so
 * that hostile output neither freezes the process nor keeps it from its heartbeat.
 * Invariant: `draw` after `settled` shows exactly what was fed. It deliberately publishes nothing.
 */
import { createTerminalFilter, type TerminalFilter } from "@holdfast/protocol/terminalFilter";
import serialize from "@xterm/addon-serialize";
import headless, { type ITerminalAddon, type Terminal } from "@xterm/headless";

/** Lines kept above the screen; what of them fits goes into a keyframe. */
export const scrollbackLinesMax = 2_000;
/** xterm parses one piece without a break: this bounds the break. */
const pieceBytesMax = 4 * 1024;

export interface ScreenSize {
  readonly cols: number;
  readonly rows: number;
}

/** The size of a terminal until somebody sets it. */
export const defaultSize: ScreenSize = { cols: 80, rows: 24 };

export class Screen {
  private readonly terminal: Terminal;
  private readonly serializer = new serialize.SerializeAddon();
  private readonly filter: TerminalFilter;
  private pending = 0;
  private current: ScreenSize;
  private readonly progressed: () => void;

  /** `answer` gets the replies to device queries; `progressed` is called as fed bytes have been drawn. */
  constructor(size: ScreenSize, answer: (bytes: Uint8Array) => void, progressed: () => void) {
    this.current = size;
    this.terminal = new headless.Terminal({
      ...size,
      scrollback: scrollbackLinesMax,
      allowProposedApi: true,
      logLevel: "off",
    });
    // The addon is typed for the browser's terminal; the headless one has what it uses.
    this.terminal.loadAddon(this.serializer as unknown as ITerminalAddon);
    this.terminal.onData((text) => answer(Buffer.from(text, "utf8")));
    this.terminal.onBinary((text) => answer(Buffer.from(text, "latin1")));
    this.filter = createTerminalFilter(() => this.current);
    this.progressed = progressed;
  }

  get size(): ScreenSize {
    return this.current;
  }

  /** Bytes fed and not yet drawn. */
  get pendingBytes(): number {
    return this.pending;
  }

  /** True while no sequence or character is half fed: only then a keyframe continues with the bytes after it. */
  get atRest(): boolean {
    return this.filter.atRest;
  }

  /** Whether the program asked for pasted text in brackets (mode 2004). */
  get bracketedPaste(): boolean {
    return this.terminal.modes.bracketedPasteMode;
  }

  feed(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += pieceBytesMax) {
      const piece = this.filter(bytes.subarray(start, start + pieceBytesMax));
      if (piece.length === 0) continue;
      this.pending += piece.length;
      this.terminal.write(piece, () => {
        this.pending -= piece.length;
        this.progressed();
      });
    }
  }

  /** Calls back once everything fed so far has been drawn. */
  settled(then: () => void): void {
    this.terminal.write("", then);
  }

  /** Takes effect after what was fed before it, as it did for the program. */
  resize(size: ScreenSize): void {
    this.current = size;
    this.terminal.write("", () => this.terminal.resize(size.cols, size.rows));
  }

  /** Bytes that draw this screen, with as much scrollback as fits into `bytesMax`; undefined where not even the screen does. */
  draw(bytesMax: number): Uint8Array | undefined {
    const above = this.terminal.buffer.normal.baseY;
    for (let scrollback = Math.min(above, scrollbackLinesMax); ; scrollback = Math.floor(scrollback / 2)) {
      const drawing = Buffer.from(this.serializer.serialize({ scrollback }), "utf8");
      if (drawing.length <= bytesMax) return drawing;
      if (scrollback === 0) return undefined;
    }
  }

  dispose(): void {
    this.terminal.dispose();
  }
}
