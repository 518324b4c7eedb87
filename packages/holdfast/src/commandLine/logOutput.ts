/**
 * The log of a command on standard error: pretty for a person at a terminal, JSON for everything else.
 *
 * Node's own warnings go through it too, since standard error holds nothing but log lines; those about
 * experimental parts are dropped: they tell a person at the terminal nothing that they could do.
 */
import { createLog, type Log } from "@holdfast/server/log";
import pretty from "pino-pretty";
import type { Config } from "../config/fields.ts";
import type { Surroundings } from "./surroundings.ts";

/** Makes the log; `settings` are the configuration's. */
export function makeLog(settings: Config["log"], { errors, environment }: Surroundings): Log {
  const isPretty = settings.format === "pretty" || (settings.format === "auto" && errors.isTTY === true);
  if (!isPretty) return createLog({ level: settings.level, stream: errors });
  const format = pretty.prettyFactory({
    colorize: errors.isTTY === true && (environment["NO_COLOR"] ?? "") === "",
    messageKey: "event",
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
  });
  return createLog({ level: settings.level, format, stream: errors });
}

/** Takes the place of Node's own printing of warnings. */
export function logWarnings(log: Log): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") log.warn("process.warning", { error: warning });
  });
}
