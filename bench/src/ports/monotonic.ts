/** The machine's monotonic clock, which all processes of one machine share: latencies are measured across processes. */

/** Microseconds since some moment of the past, the same for every process. */
export function monotonicMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
