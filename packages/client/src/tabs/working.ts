/**
 * One socket in a shared worker: where the browser has one, it is the host of all tabs (OP-2).
 *
 * The browser starts it with the first tab and ends it with the last. A worker that dies in between is noticed
 * by its lock, and the next `connect` starts another. One that does not answer within `workerAnswerMsMax` may have
 * died before it could name its lock, so it is asked once more; then, or where it is of another version (an older
 * page's, under the same address), it is left alone: this tab shares by another way.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { FromTab, ToTab } from "./messages.ts";
import { type Locks, type Port, watchLock } from "./port.ts";
import type { Link } from "./tabSession.ts";

/** From the first `connect` to `joined`: the script has to be loaded. */
export const workerAnswerMsMax = 10_000;
/** Unanswered in a row. */
const connectsMax = 2;

export interface WorkingOptions {
  readonly locks: Locks;
  readonly clock: Clock;
  /** Connects to the worker, starting it where there is none. `failed`: it cannot be started. */
  readonly connect: (failed: () => void) => Port<ToTab, FromTab>;
  /** Another way, where this one does not work. */
  readonly instead: () => Link;
}

export function workingLink({ locks, clock, connect, instead }: WorkingOptions): Link {
  let face: Parameters<Link["start"]>[0] | undefined;
  let unwatch = (): void => {};
  let deadline: TimerHandle | undefined;
  let other: Link | undefined;
  let attempt = 0;
  let unanswered = 0;

  function begin(): void {
    attempt += 1;
    unanswered += 1;
    const mine = attempt;
    const failed = (): void => {
      if (mine === attempt) giveUp();
    };
    clock.cancel(deadline);
    deadline = clock.after(workerAnswerMsMax, unanswered < connectsMax ? begin : failed);
    face?.attach(connect(failed));
  }

  function giveUp(): void {
    if (other !== undefined || face === undefined) return;
    attempt += 1;
    clock.cancel(deadline);
    unwatch();
    face.detach();
    other = instead();
    other.start(face);
  }

  return {
    start(tab) {
      face = tab;
      begin();
    },
    joined(lock) {
      if (other !== undefined) {
        other.joined(lock);
        return;
      }
      clock.cancel(deadline);
      unanswered = 0;
      unwatch();
      unwatch = watchLock(locks, lock, () => {
        face?.detach();
        begin();
      });
    },
    refused() {
      if (other === undefined) giveUp();
      else other.refused();
    },
    probed: () => other?.probed(),
    async stop() {
      face = undefined;
      clock.cancel(deadline);
      unwatch();
      await other?.stop();
    },
  };
}
