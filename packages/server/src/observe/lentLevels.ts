/**
 * Levels of the log that an admin has asked for, for a while, on this node (`log.setLevel`).
 *
 * Life cycle of one: set, told in the log at `info` → its time is over, or another takes its place → the room has the
 * level that it started with, told likewise. Invariants: none lasts longer than {@link lentMsMax}, whatever the clock
 * of the node that was asked says; what an admin changed is told by a line that no level keeps back.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Log } from "./log.ts";
import { type LogLevel, roomsMax } from "./logLevels.ts";

export const lentMsMax = 60 * 60_000;

export interface LentLevel {
  readonly room: string;
  readonly level: LogLevel;
  /** ms since 1970. */
  readonly until: number;
  /** Who asked. */
  readonly by: string;
}

export interface LentLevels {
  /** Begins, ends or changes one; one whose time is over does nothing. */
  lend(lent: LentLevel): void;
  /** All have the level that they started with; leaves no timer. */
  stop(): void;
}

/** Undefined where this log has one level for ever. */
export function createLentLevels(clock: Clock, log: Log): LentLevels | undefined {
  const { levels } = log;
  if (levels === undefined) return undefined;
  const timers = new Map<string, TimerHandle>();

  const giveBack = (room: string): void => {
    timers.delete(room);
    levels.set(room, undefined);
    log.info("log.level_restored", { room });
  };

  return {
    lend({ room, level, until, by }) {
      const forMs = Math.min(lentMsMax, until - clock.now());
      if (forMs <= 0) return;
      if (!levels.set(room, level)) {
        log.warn("log.level_refused", { room, to: level, by, roomsMax });
        return;
      }
      const before = timers.get(room);
      if (before !== undefined) clock.cancel(before);
      timers.set(
        room,
        clock.after(forMs, () => giveBack(room)),
      );
      log.info("log.level_changed", { room, to: level, until: clock.now() + forMs, by });
    },
    stop() {
      for (const [room, timer] of timers) {
        clock.cancel(timer);
        levels.set(room, undefined);
      }
      timers.clear();
    },
  };
}
