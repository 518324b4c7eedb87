/**
 * How large a terminal's letters and grid are on this page.
 *
 *   in control, interactive  the room decides, and the agent is told
 *   interactive, watching    the agent's grid, letters scaled down until it fits (then it scrolls sideways)
 *   commands                 at least the agent's columns, so that a program that counted on them is drawn as
 *                            it meant; as many rows as there is room
 *
 * Pure. Below {@link fontSizeMin} nothing is scaled further: what cannot be read is not shown smaller.
 */

/** px */
export const fontSizeBase = 13;
export const fontSizeMin = 8;
/** Fonts are set in half pixels. */
const fontSizeStep = 0.5;

export interface Grid {
  readonly cols: number;
  readonly rows: number;
}

export type GridRule = "room" | "agent" | "atLeastAgent";

export function gridRule(options: { interactive: boolean; control: boolean }): GridRule {
  if (!options.interactive) return "atLeastAgent";
  return options.control ? "room" : "agent";
}

/** `glyphWidth`: of one cell, per px of font size. `roomWidth` in px. */
export function fontSizeFor(rule: GridRule, agent: Grid, roomWidth: number, glyphWidth: number): number {
  if (rule === "room" || roomWidth <= 0 || glyphWidth <= 0) return fontSizeBase;
  const fitting = Math.floor(roomWidth / (agent.cols * glyphWidth) / fontSizeStep) * fontSizeStep;
  return Math.max(fontSizeMin, Math.min(fontSizeBase, fitting));
}

/** `room`: what fits at that font size. */
export function gridFor(rule: GridRule, agent: Grid, room: Grid): Grid {
  switch (rule) {
    case "room":
      return room;
    case "agent":
      return agent;
    case "atLeastAgent":
      return { cols: Math.max(agent.cols, room.cols), rows: room.rows };
  }
}
