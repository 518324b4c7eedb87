/** Locks of one tab that has nobody to share with: where a browser has none, and in Node. */
import type { Locks } from "./port.ts";

/** Held until they are let go; nobody else can take them over. */
export function memoryLocks(): Locks {
  const queues = new Map<string, (() => void)[]>();
  return {
    acquire(name, held) {
      const queue = queues.get(name) ?? [];
      queues.set(name, queue);
      const grant = (): void => queueMicrotask(() => queue.includes(held) && held());
      queue.push(held);
      if (queue.length === 1) grant();
      return () => {
        const place = queue.indexOf(held);
        if (place === -1) return;
        queue.splice(place, 1);
        const [next] = queue;
        if (place === 0 && next !== undefined) queueMicrotask(() => queue[0] === next && next());
      };
    },
  };
}
