// @vitest-environment jsdom
/** The terminal's view over its screen's life: what holds must hold for a screen that is opened anew. */
import { cleanup, fireEvent, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StepSource } from "../../src/features/thread/terminal/painter.ts";
import { TerminalView, type TerminalViewProps } from "../../src/features/thread/terminal/TerminalView.tsx";
import { giveBrowserParts } from "../support/browserParts.ts";

beforeAll(giveBrowserParts);
afterEach(cleanup);

const silent = (): StepSource => ({ take: () => [], onSteps: () => () => undefined });

function view(change: Partial<TerminalViewProps>): ReactNode {
  return (
    <TerminalView
      thread="thread-1"
      source={change.source ?? silent()}
      interactive={true}
      agentGrid={{ cols: 80, rows: 24 }}
      control={false}
      onControl={() => undefined}
      onType={() => undefined}
      onResize={() => undefined}
      notice={undefined}
      {...change}
    />
  );
}

const input = (container: HTMLElement): HTMLTextAreaElement => {
  const found = container.querySelector<HTMLTextAreaElement>(".xterm-helper-textarea");
  if (found === null) throw new Error("the screen is not open");
  return found;
};
const type = (container: HTMLElement, key: string): boolean =>
  fireEvent.keyDown(input(container), {
    key,
    code: `Key${key.toUpperCase()}`,
    keyCode: key.toUpperCase().charCodeAt(0),
  }) && fireEvent.keyPress(input(container), { key, charCode: key.charCodeAt(0), keyCode: key.charCodeAt(0) });

describe("TerminalView", () => {
  it("sends keys only while in control", () => {
    const typed: string[] = [];
    const source = silent();
    const { container, rerender } = render(view({ source, onType: (text) => typed.push(text) }));
    type(container, "a");
    expect(typed).toEqual([]);
    rerender(view({ source, control: true, onType: (text) => typed.push(text) }));
    type(container, "b");
    expect(typed).toEqual(["b"]);
    expect(document.activeElement).toBe(input(container));
  });

  it("stays in control when the screen is opened anew: the thread's kind is known only after it was made", () => {
    const typed: string[] = [];
    const onType = (text: string): void => void typed.push(text);
    const { container, rerender } = render(view({ source: silent(), interactive: false, control: true, onType }));
    rerender(view({ source: silent(), interactive: true, control: true, onType }));
    expect(document.activeElement).toBe(input(container));
    type(container, "x");
    expect(typed).toEqual(["x"]);
  });

  it("gives control back by Shift+Escape, and never swallows Tab while watching", () => {
    const asked: boolean[] = [];
    const source = silent();
    const { container, rerender } = render(
      view({ source, control: true, onControl: (control) => asked.push(control) }),
    );
    fireEvent.keyDown(input(container), { key: "Escape", code: "Escape", keyCode: 27, shiftKey: true });
    expect(asked).toEqual([false]);
    rerender(view({ source, control: false }));
    // True: nobody prevented the default, so the focus moves on.
    expect(fireEvent.keyDown(input(container), { key: "Tab", code: "Tab", keyCode: 9 })).toBe(true);
  });
});
