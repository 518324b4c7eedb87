/**
 * The page's clock: the only file of the dashboard that reads time or arms timers.
 *
 * Pure code takes times as arguments; components take this clock. It deliberately knows nothing of the
 * server's time: who shows an age adds the session's `clockOffset`.
 */

export interface PageClock {
  /** ms since 1970. */
  now(): number;
  /** Runs once after `ms`; returns how to stop it. */
  after(ms: number, run: () => void): () => void;
  /** Runs each `ms`; returns how to stop it. */
  every(ms: number, run: () => void): () => void;
  /** Runs before the next frame is drawn; returns how to stop it. */
  frame(run: () => void): () => void;
}

export const pageClock: PageClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const handle = setTimeout(run, ms);
    return () => clearTimeout(handle);
  },
  every: (ms, run) => {
    const handle = setInterval(run, ms);
    return () => clearInterval(handle);
  },
  frame: (run) => {
    const handle = requestAnimationFrame(run);
    return () => cancelAnimationFrame(handle);
  },
};
