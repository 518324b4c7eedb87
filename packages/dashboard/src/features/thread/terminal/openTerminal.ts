/**
 * One xterm in one element: the imperative half of the terminal view, wired once and taken down once.
 *
 * It joins the rooms of this folder: painter (what is drawn), silence (what is never answered), grid (how
 * large), links, keys. React owns its life and its toolbar; nothing here knows React or the session.
 */
import { FitAddon } from "@xterm/addon-fit";
import { type ISearchOptions, SearchAddon } from "@xterm/addon-search";
import { Terminal } from "@xterm/xterm";
import { pageClock } from "../../../shared/platform/clockShell.ts";
import { bufferLines } from "./bufferText.ts";
import { fontSizeBase, fontSizeFor, type Grid, gridFor, gridRule } from "./grid.ts";
import { keyHandler } from "./keys.ts";
import { addressProvider, linkHandler } from "./links.ts";
import { type StepSource, startPainter } from "./painter.ts";
import { reportProgress, type TerminalProgress } from "./progress.ts";
import { silence } from "./silence.ts";
import { readColour, readTheme } from "./terminalTheme.ts";

/** Lines kept above the screen. */
export const scrollbackLines = 50_000;
/** The agent is told of a new size only after it has stood still this long. */
const resizeSettleMs = 150;

export interface TerminalEvents {
  /** At most once a frame. */
  readonly onProgress: (progress: TerminalProgress) => void;
  /** What the person typed or pasted, only while in control. */
  readonly onType: (text: string) => void;
  /** The size that the room gives, only while in control of an interactive terminal. */
  readonly onResize: (grid: Grid) => void;
  readonly onRelease: () => void;
  readonly onFind: () => void;
  readonly onHover: (address: string | undefined) => void;
  /** `index` is -1 where there are too many to number. */
  readonly onFound: (found: { readonly index: number; readonly total: number }) => void;
}

export interface OpenTerminal {
  setControl(control: boolean): void;
  setAgentGrid(grid: Grid): void;
  /** The page's colours are now those of `theme`. */
  wearTheme(theme: string): void;
  focus(): void;
  /** `last`: the one nearest to the end. */
  find(text: string, which: "last" | "next" | "previous"): void;
  endFind(): void;
  toBottom(): void;
  lines(): readonly string[];
  dispose(): void;
}

export function openTerminal(options: {
  readonly element: HTMLElement;
  readonly source: StepSource;
  readonly interactive: boolean;
  readonly events: TerminalEvents;
}): OpenTerminal {
  const { element, events } = options;
  const terminal = new Terminal({
    scrollback: scrollbackLines,
    fontSize: fontSizeBase,
    fontFamily: getComputedStyle(element).getPropertyValue("--font-code"),
    lineHeight: 1.2,
    cursorInactiveStyle: "none",
    minimumContrastRatio: 4.5,
    theme: readTheme(element),
    linkHandler: linkHandler(events.onHover),
    disableStdin: true,
    logLevel: "off",
    allowProposedApi: true,
  });
  const fit = new FitAddon();
  const search = new SearchAddon({ highlightLimit: 1_000 });
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  const silenced = silence(terminal);
  terminal.open(element);
  terminal.registerLinkProvider(addressProvider(terminal, events.onHover));
  search.onDidChangeResults(({ resultIndex, resultCount }) =>
    events.onFound({ index: resultIndex, total: resultCount }),
  );

  const state = { control: false, agentGrid: { cols: 80, rows: 24 } as Grid, told: "", theme: "" };
  terminal.attachCustomKeyEventHandler(
    keyHandler({ terminal, inControl: () => state.control, onRelease: events.onRelease, onFind: events.onFind }),
  );
  terminal.onData((text) => {
    if (state.control) events.onType(text);
  });

  const progress = reportProgress(terminal, () => painter.offset, events.onProgress);
  const painter = startPainter({ terminal, source: options.source, onPainted: progress.changed });

  let stopTelling = (): void => undefined;
  const layOut = (): void => {
    if (element.clientWidth === 0 || element.clientHeight === 0) return;
    const rule = gridRule({ interactive: options.interactive, control: state.control });
    terminal.options.fontSize = fontSizeFor(rule, state.agentGrid, roomWidth(element), glyphWidth(terminal, element));
    const room = fit.proposeDimensions();
    if (room === undefined || !Number.isFinite(room.cols) || !Number.isFinite(room.rows)) return;
    const grid = gridFor(rule, state.agentGrid, { cols: Math.max(2, room.cols), rows: Math.max(2, room.rows) });
    if (grid.cols !== terminal.cols || grid.rows !== terminal.rows) terminal.resize(grid.cols, grid.rows);
    stopTelling();
    if (rule !== "room" || state.told === `${grid.cols}x${grid.rows}`) return;
    stopTelling = pageClock.after(resizeSettleMs, () => {
      state.told = `${grid.cols}x${grid.rows}`;
      events.onResize(grid);
    });
  };
  const observer = new ResizeObserver(layOut);
  observer.observe(element);
  layOut();

  return {
    setControl: (control) => {
      if (control === state.control) return;
      state.control = control;
      state.told = "";
      terminal.options.disableStdin = !control;
      terminal.options.cursorBlink = control && !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      layOut();
    },
    setAgentGrid: (grid) => {
      state.agentGrid = grid;
      layOut();
    },
    wearTheme: (theme) => {
      if (theme !== state.theme) terminal.options.theme = readTheme(element);
      state.theme = theme;
    },
    focus: () => terminal.focus(),
    find: (text, which) => {
      const how: ISearchOptions = { decorations: matchColours(element) };
      if (which === "last") terminal.clearSelection();
      if (which === "next") search.findNext(text, how);
      else search.findPrevious(text, how);
    },
    endFind: () => search.clearDecorations(),
    toBottom: () => terminal.scrollToBottom(),
    lines: () => bufferLines(terminal),
    dispose: () => {
      stopTelling();
      observer.disconnect();
      painter.stop();
      progress.stop();
      for (const handler of silenced) handler.dispose();
      terminal.dispose();
    },
  };
}

const scrollbarPx = 16;
const roomWidth = (element: HTMLElement): number => element.clientWidth - scrollbarPx;

/** Width of a cell per px of font size. */
function glyphWidth(terminal: Terminal, element: HTMLElement): number {
  const probe = document.createElement("span");
  probe.textContent = "W".repeat(100);
  probe.style.cssText = `position:absolute;visibility:hidden;white-space:pre;font:100px ${terminal.options.fontFamily ?? "monospace"}`;
  element.append(probe);
  const { width } = probe.getBoundingClientRect();
  probe.remove();
  return width / 100 / 100;
}

function matchColours(element: HTMLElement): NonNullable<ISearchOptions["decorations"]> {
  const match = readColour(element, "--terminal-match");
  const active = readColour(element, "--terminal-match-active");
  return {
    matchBackground: match,
    matchOverviewRuler: match,
    activeMatchBackground: active,
    activeMatchColorOverviewRuler: active,
  };
}
