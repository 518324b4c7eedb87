/**
 * How long operations gather before they commit together.
 *
 * Twice the smoothed time of a fan-out, at least {@link windowMsMin}, so that commits and fan-outs become fewer exactly
 * when they are dear. What the first of them has waited for the commit before, it has gathered already: that is
 * taken off, of the least window only what went beyond it. So a disk that stalls delays what comes meanwhile
 * by its stall, and not by a window more; and while it does not, nothing commits oftener. Pure.
 */

export const windowMsMin = 2;
export const windowMsMax = 25;
const fanOutsWaited = 2;

/**
 * @param fanOutMs smoothed time of a fan-out
 * @param waitedMs how long the first operation has waited for a commit under way, without the fan-out after it
 */
export function commitWindowMs(fanOutMs: number, waitedMs: number): number {
  const least = windowMsMin - Math.max(0, waitedMs - windowMsMin);
  const forFanOut = Math.min(windowMsMax, fanOutsWaited * fanOutMs) - waitedMs;
  return Math.max(0, least, forFanOut);
}
