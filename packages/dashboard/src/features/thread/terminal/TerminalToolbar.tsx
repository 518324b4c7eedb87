/** What can be done with the terminal: take control of it or give it back, search it, copy all of it. */
import { type ReactNode, useState } from "react";
import { count } from "../../../shared/format/count.ts";
import { copyText } from "../../../shared/platform/clipboard.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { CopyIcon, KeyboardIcon, SearchIcon } from "../../../shared/ui/icons.tsx";

export function TerminalToolbar(props: {
  readonly control: boolean;
  readonly onControl: ((control: boolean) => void) | undefined;
  readonly notice: ReactNode;
  readonly onSearch: () => void;
  readonly lines: () => readonly string[];
}): ReactNode {
  const { control, onControl } = props;
  const [copied, setCopied] = useState<number | "failed">();
  const copy = async (): Promise<void> => {
    const lines = props.lines();
    setCopied((await copyText(lines.join("\n"))) ? lines.length : "failed");
  };
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line bg-surface px-3 py-1 text-sm">
      {onControl !== undefined && (
        <Button
          data-testid="terminal-control"
          aria-pressed={control}
          tone={control ? "accent" : "plain"}
          onClick={() => onControl(!control)}
        >
          <KeyboardIcon />
          {control ? "Release" : "Take control"}
        </Button>
      )}
      <p aria-live="polite" className="min-w-0 flex-1 truncate text-muted">
        {props.notice ?? (control ? "Your keys go to the program. Shift+Escape gives them back." : "Read-only")}
      </p>
      <span aria-live="polite" className="text-muted">
        {copied === "failed" && "The browser did not allow copying"}
        {typeof copied === "number" && `${count(copied, "line")} copied`}
      </span>
      <Button data-testid="terminal-search" onClick={props.onSearch}>
        <SearchIcon />
        <span className="max-sm:sr-only">Search</span>
      </Button>
      <Button
        data-testid="terminal-copy"
        data-copied={typeof copied === "number" ? copied : undefined}
        onClick={() => void copy()}
      >
        <CopyIcon />
        <span className="max-sm:sr-only">Copy all</span>
      </Button>
    </div>
  );
}
