/** What a Node child tells of itself: CPU and memory, from the operating system's accounts. */

export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Heap, external memory and array buffers in use, after a collection where one was asked for; 0 where not Node. */
  readonly usedBytes: number;
}

export function ownUsage({ collect }: { collect: boolean }): Usage {
  if (collect) {
    const { gc } = globalThis;
    if (gc === undefined) throw new Error("start this process with --expose-gc");
    // Gives back what it can: the young generation's own growth is not the connections'.
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  // `external` holds the array buffers already.
  return { cpuMs: (user + system) / 1_000, residentBytes: rss, usedBytes: heapUsed + external };
}
