/**
 * A way between two ends that takes batches in order, and locks that tell whether the other end lives.
 *
 * Browsers give message ports, broadcast channels and Web Locks; tests give pairs in memory. A port says
 * nothing of the death of its other end: for that each side holds a lock, which the browser releases when
 * its holder is gone, however it went.
 */

/** `Out` leaves here, `In` arrives. */
export interface Port<In, Out> {
  post(batch: readonly Out[]): void;
  /** One listener; what arrives before there is one waits. */
  listen(listener: (batch: readonly In[]) => void): void;
  close(): void;
}

export interface Locks {
  /** `held` runs once when the lock is ours, `lost` when somebody took it over. Returns how to let it go, held or not. */
  acquire(name: string, held: () => void, options?: LockOptions): () => void;
}

export interface LockOptions {
  readonly lost?: () => void;
  /** Takes it from whoever holds it. */
  readonly steals?: boolean;
}

/** Calls back when nobody holds the lock any more. Returns how to stop watching. */
export function watchLock(locks: Locks, name: string, gone: () => void): () => void {
  const release = locks.acquire(name, () => {
    release();
    gone();
  });
  return release;
}

/** Collects messages and posts them together at the end of the turn. */
export function batching<Out>(port: Port<unknown, Out>): { say(message: Out): void; flush(): void } {
  let batch: Out[] = [];
  const flush = (): void => {
    const full = batch;
    batch = [];
    if (full.length > 0) port.post(full);
  };
  return {
    say(message) {
      if (batch.length === 0) queueMicrotask(flush);
      batch.push(message);
    },
    flush,
  };
}
