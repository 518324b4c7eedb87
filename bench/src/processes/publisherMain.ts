/**
 * The publishers: one or more connections of one peer that send at an even rate, in a process of their own.
 *
 * Each tick sends what is due by the clock, so a late tick sends more and the rate holds. Several publishers
 * take turns. It deliberately waits for no confirmation: what is not confirmed is told in `mark`.
 */
import { publisherStep } from "../event.ts";
import { type PeerName, peers } from "../peers/peers.ts";
import { monotonicMicroseconds, wait } from "../ports/monotonic.ts";
import type { PublisherSession } from "../wire/dialect.ts";
import { type ClientSocket, connectWebSocket } from "../wire/webSocket.ts";
import { serveCalls } from "./calls.ts";
import { ownUsage, type Usage } from "./usage.ts";

export interface PublishOptions {
  readonly peer: PeerName;
  readonly url: string;
  readonly publishers: number;
  readonly eventBytes: number;
}

export type PublisherFace = {
  open(argument: PublishOptions): Promise<void>;
  /** Sends this many at once and resolves when all are confirmed (or at once, where the peer confirms nothing). */
  fill(argument: { readonly events: number; readonly msMax: number }): Promise<void>;
  /** `single`: each event is a message of its own, from the next publisher; else what is due goes together. */
  begin(argument: { readonly ratePerSecond: number; readonly tickMs: number; readonly single: boolean }): void;
  end(argument: null): void;
  mark(argument: null): {
    readonly sent: number;
    readonly unconfirmed: number;
    readonly faults: readonly string[];
    readonly usage: Usage;
    readonly atMicroseconds: number;
  };
};

const faultsKept = 20;
const beatMs = 15_000;
const unsentBytesMax = 256 * 1024;
/** How much may be on its way while the log is filled: below the server's own limit of 1 MiB a connection. */
const fillBatch = 2_000;

const sessions: { readonly session: PublisherSession; socket: ClientSocket | undefined; next: number }[] = [];
const faults: string[] = [];
let sent = 0;
let turn = 0;
let timer: NodeJS.Timeout | undefined;

const unconfirmed = (): number => sessions.reduce((sum, { session }) => sum + session.unconfirmed, 0);

/** How many were sent: all, or none while the socket is full. */
function publish(count: number): number {
  if (count <= 0) return 0;
  const publisher = sessions[turn % sessions.length];
  if (publisher === undefined) throw new Error("nobody publishes: call open first");
  turn += 1;
  // As any program would: a server that does not take what is sent is not sent more.
  if ((publisher.socket?.unsentBytes ?? 0) > unsentBytesMax) return 0;
  publisher.session.publish(publisher.next, count, monotonicMicroseconds());
  publisher.next += count;
  sent += count;
  return count;
}

async function openOne({ peer, url, eventBytes }: PublishOptions): Promise<void> {
  const { dialect } = peers[peer];
  await new Promise<void>((resolve, reject) => {
    const fault = (what: string): void => {
      if (faults.length < faultsKept) faults.push(`publisher: ${what}`);
      reject(new Error(what));
    };
    const session = dialect.publisher({ eventBytes, ready: resolve, fault });
    const protocol = dialect.protocol === undefined ? {} : { protocol: dialect.protocol };
    const publisher: (typeof sessions)[number] = {
      session,
      socket: undefined,
      next: sessions.length * publisherStep + 1,
    };
    sessions.push(publisher);
    connectWebSocket({ url: dialect.publisherUrl(url), binary: dialect.binary, ...protocol }, session)
      .then((socket) => {
        publisher.socket = socket;
        session.opened(socket);
      })
      .catch(reject);
  });
}

const face: PublisherFace = {
  async open(options) {
    for (let index = 0; index < options.publishers; index += 1) await openOne(options);
  },
  async fill({ events, msMax }) {
    const until = monotonicMicroseconds() + msMax * 1_000;
    for (let done = 0; done < events || unconfirmed() > 0; ) {
      if (monotonicMicroseconds() > until || faults.length > 0)
        throw new Error(`the log was not filled: ${unconfirmed()} unconfirmed, ${faults.join("; ")}`);
      if (done < events && unconfirmed() < fillBatch) {
        done += publish(Math.min(fillBatch, events - done));
      }
      await wait(1);
    }
  },
  begin({ ratePerSecond, tickMs, single }) {
    const started = monotonicMicroseconds();
    let asked = 0;
    timer = setInterval(() => {
      const due = Math.floor(((monotonicMicroseconds() - started) / 1_000_000) * ratePerSecond) - asked;
      if (single) for (let one = 0; one < due; one += 1) publish(1);
      else publish(due);
      asked += Math.max(0, due);
    }, tickMs);
  },
  end() {
    clearInterval(timer);
  },
  mark: () => ({
    sent,
    unconfirmed: unconfirmed(),
    faults,
    usage: ownUsage({ collect: false }),
    atMicroseconds: monotonicMicroseconds(),
  }),
};

setInterval(() => {
  for (const { session } of sessions) session.beat();
}, beatMs).unref();

serveCalls(face, () => {});
