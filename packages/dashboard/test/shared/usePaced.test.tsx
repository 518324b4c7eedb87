// @vitest-environment jsdom
/**
 * A value that changes quicker than it can be drawn is drawn all the same, and leaves time for others.
 *
 * Seen red: with `useDeferredValue` in its place (in Chromium: `e2e/test/chatSlow.test.ts`), and without the free time.
 */
import { act, cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { usePaced } from "../../src/shared/ui/usePaced.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

interface Drawing {
  readonly drawn: number[];
  /** What one takes. */
  readonly ms: number;
}

function Shown({ value, drawing: { drawn, ms } }: { readonly value: number; readonly drawing: Drawing }): ReactNode {
  const shown = usePaced(value, 0);
  if (drawn.at(-1) !== shown) {
    drawn.push(shown);
    vi.setSystemTime(Date.now() + ms);
  }
  return shown;
}

it("[F63] draws on, and rests twice as long as a drawing takes, however quick the changes are", () => {
  const drawing: Drawing = { drawn: [], ms: 100 };
  const { drawn } = drawing;
  const { rerender } = render(<Shown value={0} drawing={drawing} />);
  const began = Date.now();
  for (let value = 1; value <= 300; value += 1) {
    act(() => void vi.advanceTimersByTime(10));
    rerender(<Shown value={value} drawing={drawing} />);
  }
  const took = Date.now() - began;
  expect(drawn.length).toBeGreaterThan(took / 400);
  expect(drawn.length).toBeLessThan(took / 250);
  act(() => void vi.advanceTimersByTime(1_000));
  expect(drawn.at(-1)).toBe(300);
});

it("holds nothing back that is drawn in no time", () => {
  const drawing: Drawing = { drawn: [], ms: 0 };
  const { rerender } = render(<Shown value={0} drawing={drawing} />);
  for (let value = 1; value <= 20; value += 1) rerender(<Shown value={value} drawing={drawing} />);
  expect(drawing.drawn).toEqual(Array.from({ length: 21 }, (_, index) => index));
});
