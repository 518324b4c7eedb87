/** A log that keeps what it is told. */
import type { Log } from "@holdfast/server/log";

export interface CollectedLog extends Log {
  readonly events: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[];
}

export function makeCollectedLog(): CollectedLog {
  const events: CollectedLog["events"] = [];
  const at =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void events.push({ level, event, fields });
  return { events, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
