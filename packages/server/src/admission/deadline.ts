/** A bound for every wait on somebody else (F77): the answer, or a rejection when its time is over. */
import type { Clock } from "@holdfast/protocol";

/** Leaves no timer behind. A late answer is dropped, a late failure too. */
export function withinMs<Value>(clock: Clock, ms: number, answer: Promise<Value>, late: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(late()));
    answer.then(
      (value) => {
        clock.cancel(timer);
        resolve(value);
      },
      (error: unknown) => {
        clock.cancel(timer);
        reject(error);
      },
    );
  });
}
