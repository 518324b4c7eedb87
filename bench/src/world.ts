/**
 * One run's world: a peer's server with an empty folder, a publisher, and groups of readers, each a process.
 *
 * Life cycle: {@link withWorld} starts the server and the publisher, runs, and ends everything whatever
 * happens. What a run measures is the difference of two {@link World.mark}s.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PeerName, peers } from "./peers/peers.ts";
import type { ServerFace } from "./peers/serverFace.ts";
import { machineCpuMs, waitForQuiet } from "./ports/machineBusy.ts";
import { type ProcessUsage, processUsage } from "./ports/processUsage.ts";
import { type Child, startChild } from "./processes/calls.ts";
import type { PublisherFace } from "./processes/publisherMain.ts";
import type { OpenReaders, ReadersFace, Mark as ReadersMark } from "./processes/readersMain.ts";

/** ~230 B: an agent's small step, or a tick of a dashboard. */
export const eventBytes = 230;
export const publishTickMs = 5;

export interface WorldOptions {
  readonly peer: PeerName;
  readonly publishers?: number;
  readonly eventBytes?: number;
  /** For exact memory: the server may be told to collect garbage. */
  readonly collect?: boolean;
  readonly watchSockets?: boolean;
  /** A folder for the server's CPU profile. */
  readonly profile?: string | undefined;
  /** How long to wait for a quiet machine before anything starts, ms. */
  readonly patienceMs?: number;
}

export interface WorldMark {
  /** CPU time of the whole machine. */
  readonly machineCpuMs: number;
  /** From the operating system: a server that is saturated would answer half a minute late. */
  readonly server: ProcessUsage;
  readonly publisher: Awaited<ReturnType<PublisherFace["mark"]>>;
  readonly readers: readonly ReadersMark[];
}

export interface World {
  readonly version: string;
  /** The server's folder, on the disk that it writes to. */
  readonly folder: string;
  readonly server: Child<ServerFace>;
  readonly publisher: Child<PublisherFace>;
  /** A new process with these readers; resolves when all are subscribed. */
  readers(options: Partial<OpenReaders> & { readonly readers: number }): Promise<Child<ReadersFace>>;
  /** A new process without readers yet. */
  readersProcess(): Child<ReadersFace>;
  readerOptions(options: Partial<OpenReaders> & { readonly readers: number }): OpenReaders;
  mark(): Promise<WorldMark>;
}

export async function withWorld<Result>(
  options: WorldOptions,
  run: (world: World) => Promise<Result>,
): Promise<Result> {
  const { peer, publishers = 1, patienceMs = 0 } = options;
  if (patienceMs > 0) await waitForQuiet(patienceMs);
  const bytes = options.eventBytes ?? eventBytes;
  const folder = mkdtempSync(join(tmpdir(), `holdfast-bench-${peer}-`));
  const flags = [
    ...(options.collect === true ? ["--expose-gc"] : []),
    ...(options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`]),
  ];
  const children: Pick<Child<ServerFace>, "stop">[] = [];
  /** Ended in the reverse order: the readers and the publisher before the server. */
  const started = <Started extends { stop(): Promise<void> }>(child: Started): Started => {
    children.unshift(child);
    return child;
  };
  const groups: Child<ReadersFace>[] = [];
  try {
    const server = started(startChild<ServerFace>(peers[peer].server, flags));
    const { url, version, pid } = await server.call("start", { folder, watchSockets: options.watchSockets === true });
    const publisher = started(startChild<PublisherFace>(new URL("./processes/publisherMain.ts", import.meta.url)));
    await publisher.call("open", { peer, url, publishers, eventBytes: bytes });
    // The stream exists before anyone reads it.
    await publisher.call("fill", { events: 1, msMax: 10_000 });

    const readersProcess = (): Child<ReadersFace> => {
      const group = started(startChild<ReadersFace>(new URL("./processes/readersMain.ts", import.meta.url)));
      groups.push(group);
      return group;
    };
    const readerOptions: World["readerOptions"] = (asked) => ({
      peer,
      url,
      wholeEvery: 0,
      eventBytes: bytes,
      from: "latest",
      subscribe: true,
      ...asked,
    });
    return await run({
      version,
      folder,
      server,
      publisher,
      readersProcess,
      readerOptions,
      async readers(asked) {
        const group = readersProcess();
        await group.call("open", readerOptions(asked));
        return group;
      },
      async mark() {
        const [sent, ...got] = await Promise.all([
          publisher.call("mark", null),
          ...groups.map((group) => group.call("mark", null)),
        ]);
        return { machineCpuMs: machineCpuMs(), server: processUsage(pid), publisher: sent, readers: got };
      },
    });
  } finally {
    for (const child of children) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
