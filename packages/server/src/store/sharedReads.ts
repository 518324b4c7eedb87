/**
 * Reads as a node makes them: the same one once, however many ask, and at most 16 at a time (ST-7).
 *
 * Life cycle of a read: asked → joined to the one under way for the same place, or queued → run → its one
 * answer, also a failure, to all who asked. It keeps nothing afterwards: what is in memory is the hub's.
 */
import type { Store } from "./port.ts";

const readsUnderWayMax = 16;

type Reads = Pick<Store, "position" | "snapshot" | "read">;

/** The same reads, shared. */
export function shareReads(store: Reads): Reads {
  const underWay = new Map<string, Promise<unknown>>();
  const queue: (() => void)[] = [];
  let running = 0;

  const turn = async (): Promise<void> => {
    if (running >= readsUnderWayMax) await new Promise<void>((go) => queue.push(go));
    running += 1;
  };
  const over = (): void => {
    running -= 1;
    queue.shift()?.();
  };

  const once = <Value>(place: string, run: () => Promise<Value>): Promise<Value> => {
    const known = underWay.get(place);
    if (known !== undefined) return known as Promise<Value>;
    const read = turn()
      .then(run)
      .finally(() => {
        underWay.delete(place);
        over();
      });
    underWay.set(place, read);
    return read;
  };

  return {
    position: (workspace, stream) => once(`position\n${workspace}\n${stream}`, () => store.position(workspace, stream)),
    snapshot: (workspace, stream) => once(`snapshot\n${workspace}\n${stream}`, () => store.snapshot(workspace, stream)),
    read: (...place) => once(`read\n${place.join("\n")}`, () => store.read(...place)),
  };
}
