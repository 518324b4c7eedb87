/**
 * The terminal's code, a chunk of its own: asked for once the page stands, so that a link that is lost later
 * does not keep a thread from opening.
 */
import { type ComponentType, lazy } from "react";
import type { TerminalViewProps } from "./terminal/TerminalView.tsx";

const load = async (): Promise<{ default: ComponentType<TerminalViewProps> }> => {
  const { TerminalView } = await import("./terminal/TerminalView.tsx");
  return { default: TerminalView };
};

export const LazyTerminal = lazy(load);

/** A failure shows where the terminal is needed, with a way to try again. */
export const preloadTerminal = (): void => void load().catch(() => undefined);
