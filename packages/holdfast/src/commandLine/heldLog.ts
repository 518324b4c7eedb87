/**
 * A log that waits until it is known whether the command starts at all.
 *
 * A refused start is one sentence on standard error and nothing else, so what is logged on the way there is
 * held: dropped with the refusal, written in order with the start or with any other end. Invariant: nothing
 * is held after `release`, and never more than `heldRecordsMax` records: more are a start that needs watching.
 */
import type { Log } from "@holdfast/server/log";

export const heldRecordsMax = 200;

export interface HeldLog extends Log {
  /** Writes what was held, and everything from now on at once. Idempotent. */
  release(): void;
}

/** Holds what is meant for `log`. */
export function holdLog(log: Log): HeldLog {
  let held: (() => void)[] | undefined = [];
  const release = (): void => {
    const records = held ?? [];
    held = undefined;
    for (const write of records) write();
  };
  const at =
    (level: keyof Log) =>
    (event: string, fields?: Readonly<Record<string, unknown>>): void => {
      const write = (): void => log[level](event, fields);
      if (held === undefined) {
        write();
        return;
      }
      held.push(write);
      if (held.length >= heldRecordsMax) release();
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), release };
}
