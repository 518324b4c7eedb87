/**
 * The readers: many connections of one peer in one process, which counts what they get and how late.
 *
 * Life cycle: `open` → any number of `mark`, `stall`, `go` → the conductor ends it. Every reader counts all its
 * events and checks that none is missing as far as the peer's protocol shows it; each `wholeEvery`th looks
 * into each event, checks its number and takes its latency. It deliberately keeps no event.
 */
import { platform } from "node:os";
import { publisherStep } from "../event.ts";
import { type PeerName, peers } from "../peers/peers.ts";
import { monotonicMicroseconds, wait } from "../ports/monotonic.ts";
import type { Delivery, ReaderSession } from "../wire/dialect.ts";
import { type ClientSocket, connectWebSocket } from "../wire/webSocket.ts";
import { serveCalls } from "./calls.ts";
import { ownUsage, type Usage } from "./usage.ts";

export interface OpenReaders {
  readonly peer: PeerName;
  readonly url: string;
  readonly readers: number;
  /** 1: all of them; 0: none. */
  readonly wholeEvery: number;
  readonly eventBytes: number;
  readonly from: "latest" | "start";
  readonly subscribe: boolean;
}

export interface Wake {
  readonly from: "latest" | "start";
  readonly events: number;
  readonly msMax: number;
}

export interface Mark {
  /** Since `open`. */
  readonly received: number;
  /** How many frames (or single messages) they came in. */
  readonly frames: number;
  /** The fewest that any one reader has. */
  readonly receivedMin: number;
  /** What must not happen; at most {@link faultsKept}. */
  readonly faults: readonly string[];
  /** Since the last mark. */
  readonly latenciesMicroseconds: Float64Array;
  readonly usage: Usage;
  readonly atMicroseconds: number;
}

export type ReadersFace = {
  /** Resolves when all are subscribed, with the ms that it took. */
  open(argument: OpenReaders): Promise<number>;
  mark(argument: null): Mark;
  /** The first `count` readers stop reading their sockets. */
  stall(count: number): void;
  go(argument: null): void;
  /** All that were opened without a subscription subscribe at once; the ms until each had `events`. */
  wake(argument: Wake): Promise<readonly number[]>;
};

const openAtOnce = 50;
const openMsMax = 60_000;
const beatMs = 15_000;
const faultsKept = 20;
const lookEveryMs = 5;
/** Loopback has 28,000 free ports an address; Linux answers on all of 127/8, others on one. */
const localAddresses = platform() === "linux" ? ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"] : ["127.0.0.1"];

interface OpenReader {
  readonly socket: ClientSocket;
  readonly session: ReaderSession;
  received: number;
  frames: number;
  caughtUpAt: number;
}

const readers: OpenReader[] = [];
const faults: string[] = [];
let latencies: number[] = [];
/** Who has this many events is caught up. */
let target = Number.POSITIVE_INFINITY;

const fault = (what: string): void => {
  if (faults.length < faultsKept) faults.push(what);
};

async function openOne(options: OpenReaders, index: number): Promise<void> {
  const { dialect } = peers[options.peer];
  const whole = options.wholeEvery > 0 && index % options.wholeEvery === 0;
  let resolveReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    resolveReady = resolve;
  });
  let reader: OpenReader | undefined;
  const next = new Map<number, number>();
  const delivery: Delivery = {
    ready: () => resolveReady(),
    events(count) {
      if (reader === undefined) return;
      reader.received += count;
      reader.frames += 1;
      if (reader.received >= target && reader.caughtUpAt === 0) reader.caughtUpAt = monotonicMicroseconds();
    },
    event(n, microseconds) {
      const publisher = Math.floor(n / publisherStep);
      const due = next.get(publisher) ?? n;
      if (n !== due) fault(`event ${n} came where ${due} was due`);
      next.set(publisher, n + 1);
      latencies.push(monotonicMicroseconds() - microseconds);
    },
    fault: (what) => {
      fault(`reader ${index}: ${what}`);
      resolveReady();
    },
  };
  const { eventBytes, from, subscribe } = options;
  const session = dialect.reader({ eventBytes, whole, from, subscribe }, delivery);
  const localAddress = localAddresses[index % localAddresses.length] ?? "127.0.0.1";
  const socket = await connectWebSocket(
    {
      url: dialect.readerUrl(options.url),
      binary: dialect.binary,
      localAddress,
      ...(dialect.protocol === undefined ? {} : { protocol: dialect.protocol }),
    },
    session,
  );
  reader = { socket, session, received: 0, frames: 0, caughtUpAt: 0 };
  readers.push(reader);
  session.opened(socket);
  await ready;
}

async function open(options: OpenReaders): Promise<number> {
  const started = monotonicMicroseconds();
  for (let first = 0; first < options.readers; first += openAtOnce) {
    const count = Math.min(openAtOnce, options.readers - first);
    const opened = Promise.all(Array.from({ length: count }, (_, index) => openOne(options, first + index)));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`readers were not subscribed within ${openMsMax} ms`)), openMsMax);
    });
    await Promise.race([opened, late]).finally(() => clearTimeout(timer));
  }
  return (monotonicMicroseconds() - started) / 1_000;
}

const face: ReadersFace = {
  open: (options) => open(options),
  mark() {
    const taken = Float64Array.from(latencies);
    latencies = [];
    return {
      received: readers.reduce((sum, { received }) => sum + received, 0),
      frames: readers.reduce((sum, { frames }) => sum + frames, 0),
      receivedMin: readers.reduce((least, { received }) => Math.min(least, received), Number.POSITIVE_INFINITY),
      faults,
      latenciesMicroseconds: taken,
      usage: ownUsage({ collect: false }),
      atMicroseconds: monotonicMicroseconds(),
    };
  },
  stall(count) {
    for (const { socket } of readers.slice(0, count)) socket.pause();
  },
  go() {
    for (const { socket } of readers) socket.resume();
  },
  async wake({ from, events, msMax }) {
    target = events;
    const woken = monotonicMicroseconds();
    for (const { session } of readers) session.subscribe?.(from);
    const until = monotonicMicroseconds() + msMax * 1_000;
    while (readers.some(({ caughtUpAt }) => caughtUpAt === 0)) {
      if (monotonicMicroseconds() > until) throw new Error(`not caught up within ${msMax} ms`);
      await wait(lookEveryMs);
    }
    return readers.map(({ caughtUpAt }) => (caughtUpAt - woken) / 1_000);
  },
};

setInterval(() => {
  for (const { session } of readers) session.beat();
}, beatMs).unref();

serveCalls(face, () => {});
