/**
 * The terminal of a thread: its screen, and a toolbar with control, search and copy.
 *
 * Loaded as a chunk of its own. The screen's life is an effect's: opened once per thread, fed by the thread's
 * feed, taken down with the view. Facts that change with every frame (lines, offset) are written to the
 * element directly, so that output costs React nothing.
 */
import "@xterm/xterm/css/xterm.css";
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { count } from "../../../shared/format/count.ts";
import { visibleText } from "../../../shared/format/visibleText.ts";
import { useThemeName } from "../../../shared/ui/theme.ts";
import type { Grid } from "./grid.ts";
import { type OpenTerminal, openTerminal } from "./openTerminal.ts";
import type { StepSource } from "./painter.ts";
import type { TerminalProgress } from "./progress.ts";
import { SearchBox } from "./SearchBox.tsx";
import { TerminalToolbar } from "./TerminalToolbar.tsx";

export interface TerminalViewProps {
  readonly thread: string;
  readonly source: StepSource;
  readonly interactive: boolean;
  readonly agentGrid: Grid;
  /** The person's keys go to the program. */
  readonly control: boolean;
  /** Undefined where this person may only look. */
  readonly onControl: ((control: boolean) => void) | undefined;
  readonly onType: (text: string) => void;
  readonly onResize: (grid: Grid) => void;
  /** A sentence about the terminal: keys that were not sent, the program's end. */
  readonly notice: ReactNode;
}

export function TerminalView(props: TerminalViewProps): ReactNode {
  const { thread, source, interactive, agentGrid, control } = props;
  const element = useRef<HTMLDivElement>(null);
  const terminal = useRef<OpenTerminal>(undefined);
  const frame = useRef<HTMLDivElement>(null);
  const [scrolled, setScrolled] = useState<{ above: boolean; unseen: number }>({ above: false, unseen: 0 });
  const [searching, setSearching] = useState(false);
  const [found, setFound] = useState<{ index: number; total: number }>();
  const [hovered, setHovered] = useState<string>();
  const theme = useThemeName();

  const onProgress = useEffectEvent((progress: TerminalProgress) => {
    if (frame.current) {
      frame.current.dataset["lines"] = String(progress.lines);
      frame.current.dataset["offset"] = String(progress.offset);
    }
    setScrolled((before) =>
      before.above === progress.isAbove && before.unseen === progress.unseen
        ? before
        : { above: progress.isAbove, unseen: progress.unseen },
    );
  });
  const onType = useEffectEvent((text: string) => props.onType(text));
  const onResize = useEffectEvent((grid: Grid) => props.onResize(grid));
  const onRelease = useEffectEvent(() => props.onControl?.(false));

  /** A screen that is opened anew begins as the page is now. */
  const dress = useEffectEvent((opened: OpenTerminal) => {
    opened.wearTheme(theme);
    opened.setAgentGrid(agentGrid);
    opened.setControl(control);
    if (control) opened.focus();
  });

  useEffect(() => {
    if (element.current === null) return;
    const opened = openTerminal({
      element: element.current,
      source,
      interactive,
      events: {
        onProgress: (progress) => onProgress(progress),
        onType: (text) => onType(text),
        onResize: (grid) => onResize(grid),
        onRelease: () => onRelease(),
        onFind: () => setSearching(true),
        onHover: setHovered,
        onFound: setFound,
      },
    });
    terminal.current = opened;
    dress(opened);
    return () => {
      terminal.current = undefined;
      opened.dispose();
    };
  }, [source, interactive]);

  useEffect(
    () => terminal.current?.setAgentGrid({ cols: agentGrid.cols, rows: agentGrid.rows }),
    [agentGrid.cols, agentGrid.rows],
  );
  useEffect(() => {
    terminal.current?.setControl(control);
    if (control) terminal.current?.focus();
  }, [control]);
  useEffect(() => terminal.current?.wearTheme(theme), [theme]);

  const endSearch = (): void => {
    setSearching(false);
    setFound(undefined);
    terminal.current?.endFind();
    terminal.current?.focus();
  };

  return (
    <section aria-label="Terminal" className="relative flex min-h-0 flex-1 flex-col bg-terminal">
      <TerminalToolbar
        control={control}
        onControl={props.onControl}
        notice={props.notice}
        onSearch={() => setSearching(true)}
        lines={() => terminal.current?.lines() ?? []}
      />
      {searching && (
        <SearchBox found={found} onFind={(text, which) => terminal.current?.find(text, which)} onClose={endSearch} />
      )}
      <div
        ref={frame}
        data-testid="terminal"
        data-thread={thread}
        data-control={control ? "yes" : "no"}
        data-lines="0"
        data-offset="0"
        className={`terminal-frame min-h-0 flex-1 overflow-x-auto overflow-y-hidden px-3 py-2 ${control ? "in-control" : ""}`}
      >
        <div ref={element} className="h-full w-full min-w-0" />
      </div>
      {scrolled.above && (
        <button
          type="button"
          data-testid="terminal-new-lines"
          data-count={scrolled.unseen}
          onClick={() => terminal.current?.toBottom()}
          className="absolute right-6 bottom-3 z-10 rounded-full border border-line-strong bg-raised px-3 py-1 text-sm text-text shadow-sm hover:bg-hover"
        >
          {scrolled.unseen > 0 ? `${count(scrolled.unseen, "new line")} ↓` : "To the end ↓"}
        </button>
      )}
      {hovered !== undefined && (
        <p className="pointer-events-none absolute bottom-0 left-0 z-10 max-w-full truncate rounded-tr border border-line bg-raised px-2 font-mono text-xs text-muted">
          {visibleText(hovered)}
        </p>
      )}
    </section>
  );
}
