/**
 * The production log: one JSON line a record, through pino, written before the call returns.
 *
 * Every record has `level`, `time` (ms since 1970), `event`, and its fields beside them. Fields pass through
 * `plainFields`, so a line is bounded, without credentials and without control characters (L1, L2), and
 * whatever was caught has name, message, stack and causes (F03). Invariant: a call never throws, and the
 * last line before an exit is not lost as long as `stream` writes at once, as standard error does.
 * It deliberately knows no file and no rotation: who runs the server decides where standard error goes.
 */
import pino from "pino";
import { errorRecord } from "./errorRecord.ts";
import type { Log } from "./log.ts";
import { createLogLevels, type LogLevel } from "./logLevels.ts";
import { plainFields } from "./plainFields.ts";

export type { Log } from "./log.ts";
export { type LogLevel, logLevels } from "./logLevels.ts";

export interface LogOptions {
  /** Records below it are not written, unless somebody asks for more while it runs (`levels`). */
  readonly level: LogLevel;
  /** Makes of one JSON line (without line end) the text to write, with line end. Absent: the line itself. */
  readonly format?: (line: string) => string;
  /** Where text goes; must not keep it. */
  readonly stream: { write(text: string): unknown };
}

/** Makes a log that never throws. */
export function createLog({ level, format, stream }: LogOptions): Log {
  const levels = createLogLevels(level);
  const logger = pino(
    {
      level: "debug",
      base: null,
      messageKey: "event",
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void stream.write(format === undefined ? line : format(line.trimEnd())) },
  );
  const write =
    (at: LogLevel) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (!levels.allows(at, event)) return;
      try {
        logger[at](withoutReserved(plainFields(fields)), event);
      } catch (error) {
        logger.error({ error: errorRecord(error) }, "log.failed");
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), levels };
}

const reserved: ReadonlySet<string> = new Set(["level", "time", "event"]);

/** A field must not shadow the record's own: `event` becomes `event_`. */
function withoutReserved(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [reserved.has(name) ? `${name}_` : name, value]),
  );
}
