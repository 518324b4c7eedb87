/** The platform's interval, for what must be said again as long as it is so. */

/** Runs now and every `ms`; returns how to stop it. */
export function repeat(ms: number, run: () => void): () => void {
  run();
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
}
