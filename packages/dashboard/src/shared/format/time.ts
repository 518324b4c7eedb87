/**
 * Times in words: every number with its unit and its age (INTERFACE.md "Look").
 *
 * Pure: the caller passes what "now" is, on the clock that the time was taken on.
 */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long ago, short enough for a row: `now`, `12 s`, `5 min`, `3 h`, `2 d`. A time ahead of `nowMs` counts as now. */
export function age(thenMs: number, nowMs: number): string {
  const passed = Math.max(0, nowMs - thenMs);
  if (passed < 5 * secondMs) return "now";
  if (passed < minuteMs) return `${Math.floor(passed / secondMs)} s`;
  if (passed < hourMs) return `${Math.floor(passed / minuteMs)} min`;
  if (passed < dayMs) return `${Math.floor(passed / hourMs)} h`;
  return `${Math.floor(passed / dayMs)} d`;
}

/** A duration: `84 ms`, `1.2 s`, `42 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(ms: number): string {
  if (ms < secondMs) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * secondMs) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ${Math.floor((ms % minuteMs) / secondMs)} s`;
  return `${Math.floor(ms / hourMs)} h ${Math.floor((ms % hourMs) / minuteMs)} min`;
}

/** The time of day of `ms` (since 1970), as the reader's locale writes it: `14:02`. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
