/**
 * Which records of a log are written: one level for all, and for a while another for some rooms.
 *
 * The room of a record is the first word of its event (`store` of `store.unavailable`). Invariant: a room that nobody
 * has raised or lowered has the level that the log was made with; at most {@link roomsMax} have one of their own; what
 * tells of a changed level is written at any.
 * Pure; when a level ends is not known here (`lentLevels.ts`).
 */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** In the place of a room: all that have no level of their own. */
export const everyRoom = "*";
/** Rooms with a level of their own at once. */
export const roomsMax = 32;

const writtenAlways: ReadonlySet<string> = new Set(["log.level_changed", "log.level_restored"]);

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogLevels {
  /** `undefined` gives a room back the level of all. False: too many rooms have one. */
  set(room: string, level: LogLevel | undefined): boolean;
  allows(level: LogLevel, event: string): boolean;
}

export function createLogLevels(base: LogLevel): LogLevels {
  const own = new Map<string, LogLevel>();
  return {
    set(room, level) {
      if (level === undefined) {
        own.delete(room);
        return true;
      }
      if (!own.has(room) && own.size >= roomsMax) return false;
      own.set(room, level);
      return true;
    },
    allows(level, event) {
      if (own.size === 0) return rank[level] >= rank[base] || writtenAlways.has(event);
      const least = own.get(roomOf(event)) ?? own.get(everyRoom) ?? base;
      return rank[level] >= rank[least] || writtenAlways.has(event);
    },
  };
}

function roomOf(event: string): string {
  const dot = event.indexOf(".");
  return dot === -1 ? event : event.slice(0, dot);
}
