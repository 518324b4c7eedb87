/**
 * Makes a viewer's terminal answer nothing: device queries are answered once, by the agent's own headless
 * terminal (CONTROL.md "Terminals"), so a viewer's answer would be typed into the program a second time.
 *
 * xterm answers through the same `onData` that carries the person's keys. Each sequence that makes it answer,
 * report focus or the mouse, or change the page's palette is swallowed in its parser; what is left on
 * `onData` was typed or pasted. Invariant: no output whatever makes `onData` fire (tested with a corpus).
 */
import type { IDisposable, IFunctionIdentifier, Terminal } from "@xterm/xterm";

/** DA1, DA2, DSR, DECDSR, DECRQM (ANSI and private), window reports, XTVERSION. */
const queries: readonly IFunctionIdentifier[] = [
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { final: "n" },
  { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" },
  { prefix: "?", intermediates: "$", final: "p" },
  { final: "t" },
  { prefix: ">", final: "q" },
];

/** Modes in which the terminal talks by itself: mouse tracking and its encodings, focus reports. */
const talkingModes = new Set([9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016]);

/** OSC that query or set colours: palette, special colours, text, paper, cursor, selection, and their resets. */
const colourCommands = [4, 5, 10, 11, 12, 17, 19, 104, 105, 110, 111, 112, 117, 119];

export function silence(terminal: Terminal): readonly IDisposable[] {
  const { parser } = terminal;
  const swallow = (): boolean => true;
  return [
    ...queries.map((query) => parser.registerCsiHandler(query, swallow)),
    parser.registerCsiHandler({ prefix: "?", final: "h" }, (parameters) => parameters.some(isTalking)),
    parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow),
    parser.registerDcsHandler({ intermediates: "+", final: "q" }, swallow),
    ...colourCommands.map((command) => parser.registerOscHandler(command, swallow)),
  ];
}

const isTalking = (parameter: number | number[]): boolean =>
  talkingModes.has(Array.isArray(parameter) ? (parameter[0] ?? 0) : parameter);
