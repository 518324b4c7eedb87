/**
 * What each event of a thread means for its screen, as data: bytes, a header, an end, a note, a fresh start.
 *
 * Pure. One screen shows all of a thread in the log's order. Text that we draw ourselves (a command, a
 * reason, a note) is somebody else's text: it passes {@link visibleText}, so it can draw nothing but itself.
 */
import type { AgentEventData, ThreadServerEventData } from "@holdfast/control/contract";
import { duration } from "../../../shared/format/time.ts";
import { visibleText } from "../../../shared/format/visibleText.ts";

/** A command's text on the screen; the whole of it is in the list of commands. */
export const headerLinesMax = 20;
export const headerCharactersMax = 2_000;

export type DrawStep =
  /** Raw bytes of the agent; to pass the terminal filter. */
  | { readonly kind: "output"; readonly through: number; readonly bytes: Uint8Array }
  /** A line of ours, on a clean screen state: `fresh` also ends what a former program left behind. */
  | { readonly kind: "line"; readonly through: number; readonly ansi: string; readonly fresh: boolean }
  /** The whole screen at this point, in place of bytes that are no longer in the log (ST-10). */
  | {
      readonly kind: "screen";
      readonly through: number;
      readonly bytes: Uint8Array;
      readonly cols: number;
      readonly rows: number;
    }
  /** The history starts anew (ST-3). */
  | { readonly kind: "clear"; readonly through: number; readonly ansi: string }
  /** Nothing to draw; only the offset moves. */
  | { readonly kind: "nothing"; readonly through: number };

export interface DrawContext {
  readonly terminal: string;
  /** An interactive program draws the whole screen itself: no lines of ours in between. */
  readonly interactive: boolean;
  /** Text of a command that was seen queued. */
  readonly textOf: (command: string) => string | undefined;
  /** True where earlier bytes are missing, so that a keyframe has to be drawn. */
  readonly incomplete: boolean;
}

export function drawStep(
  event: { readonly event: string; readonly through: number; readonly data: unknown },
  context: DrawContext,
): DrawStep {
  const { through } = event;
  switch (event.event) {
    case "terminal.output": {
      const data = event.data as AgentEventData["terminal.output"];
      return data.terminal === context.terminal
        ? { kind: "output", through, bytes: bytesOf(data.data) }
        : { kind: "nothing", through };
    }
    case "terminal.screen": {
      const data = event.data as AgentEventData["terminal.screen"];
      if (data.terminal !== context.terminal || !context.incomplete) return { kind: "nothing", through };
      return { kind: "screen", through, bytes: bytesOf(data.data), cols: data.cols, rows: data.rows };
    }
    case "command.started":
      if (context.interactive) return { kind: "nothing", through };
      return { kind: "line", through, fresh: true, ansi: header(event.data, context) };
    case "command.finished":
      if (context.interactive) return { kind: "nothing", through };
      return { kind: "line", through, fresh: true, ansi: end(event.data as AgentEventData["command.finished"]) };
    case "note":
      if (context.interactive) return { kind: "nothing", through };
      return {
        kind: "line",
        through,
        fresh: false,
        ansi: quiet(`note: ${oneLine((event.data as ThreadServerEventData["note"]).text)}`),
      };
    case "terminal.closed":
      return { kind: "line", through, fresh: true, ansi: closed(event.data as AgentEventData["terminal.closed"]) };
    default:
      return { kind: "nothing", through };
  }
}

/** Base64 to bytes. Throws on what is not base64: the session then stops the stream there and says so (ST-6). */
export function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** A quiet line, drawn as one: grey, not "dim", which halves the contrast (WCAG 1.4.3). */
export const quiet = (text: string): string => `\x1b[90m${text}\x1b[39m\r\n`;

const accent = "\x1b[1;36m";
const plain = "\x1b[0m";

function header(data: unknown, context: DrawContext): string {
  const { command } = data as AgentEventData["command.started"];
  const text = context.textOf(command) ?? `command ${oneLine(command)}`;
  const lines = visibleText(text.slice(0, headerCharactersMax), { keepLines: true }).split("\n");
  const shown = lines.slice(0, headerLinesMax);
  const isCut = text.length > headerCharactersMax || lines.length > headerLinesMax;
  const drawn = shown.map((line, index) => `${accent}${index === 0 ? "❯ " : "  "}${line}${plain}\r\n`).join("");
  return isCut ? drawn + quiet("  … the rest is in the list of commands") : drawn;
}

function end(data: AgentEventData["command.finished"]): string {
  const parts = [
    data.outcome,
    data.exitCode === undefined ? undefined : `exit ${data.exitCode}`,
    duration(data.durationMs),
    data.inferred ? "end inferred" : undefined,
    data.reason === undefined ? undefined : oneLine(data.reason),
  ];
  return `${quiet(`· ${parts.filter((part) => part !== undefined).join(" · ")}`)}\r\n`;
}

function closed(data: AgentEventData["terminal.closed"]): string {
  const parts = [
    "terminal closed",
    data.exitCode === undefined ? undefined : `exit ${data.exitCode}`,
    data.reason === undefined ? undefined : oneLine(data.reason),
  ];
  return quiet(`· ${parts.filter((part) => part !== undefined).join(" · ")}`);
}

const oneLine = (text: string): string => visibleText(text);
