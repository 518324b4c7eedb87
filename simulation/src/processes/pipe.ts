/**
 * One way of one proxied connection: takes bytes from a socket and passes them on, under the fault that acts now.
 *
 * Bytes wait in a queue, each piece with the moment at which it may go on; nothing overtakes. A hold keeps the queue, a
 * hole empties it for ever. Invariant: what is written is a beginning of what was read. With more than
 * `queuedBytesMax` waiting, the socket is not read.
 */
import type { Socket } from "node:net";
import type { NetworkFault } from "./networkFault.ts";

const queuedBytesMax = 256 * 1024;

export interface Pipe {
  /** Bytes of it were swallowed: it will never pass anything on again. */
  readonly hasHole: boolean;
  /** What acts on it from now on. */
  govern(fault: NetworkFault | undefined): void;
  stop(): void;
}

export interface PipeOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly change: (bytes: Buffer) => Buffer;
  readonly random: () => number;
  /** Hears of what the fault did: bytes swallowed or held, pieces delayed or cut. */
  readonly count: (amount: number) => void;
}

interface Piece {
  readonly bytes: Buffer;
  readonly atMs: number;
}

export function makePipe({ from, to, change, random, count }: PipeOptions): Pipe {
  let fault: NetworkFault | undefined;
  let queue: Piece[] = [];
  let queuedBytes = 0;
  let hasHole = false;
  let hasEnded = false;
  let isBlocked = false;
  let lastMs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function take(bytes: Buffer): void {
    if (fault?.kind === "blackHole") {
      hasHole = true;
      queue = [];
      queuedBytes = 0;
    }
    if (hasHole) {
      count(bytes.length);
      return;
    }
    const pieces = fault?.kind === "slice" ? sliced(bytes, fault.bytesMax) : [bytes];
    if (pieces.length > 1) count(pieces.length);
    for (const piece of pieces) {
      lastMs = Math.max(lastMs, performance.now() + delayOf(piece));
      queue.push({ bytes: piece, atMs: lastMs });
      queuedBytes += piece.length;
    }
    if (fault?.kind === "stall") count(bytes.length);
    if (queuedBytes > queuedBytesMax) from.pause();
    pass();
  }

  /** How much later than now, or than the piece before, a piece may go on. */
  function delayOf(piece: Buffer): number {
    if (fault?.kind === "latency") {
      count(1);
      return fault.ms + random() * fault.jitterMs;
    }
    if (fault?.kind !== "rate") return 0;
    count(1);
    const waitMs = Math.max(0, lastMs - performance.now());
    return waitMs + (piece.length / fault.bytesPerSecond) * 1_000;
  }

  /** Writes what is due, in order, as far as the other side takes it. */
  function pass(): void {
    clearTimeout(timer);
    timer = undefined;
    if (fault?.kind === "stall" || isBlocked || hasHole) return;
    for (;;) {
      const piece = queue[0];
      if (piece === undefined) break;
      const waitMs = piece.atMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pass, waitMs);
        return;
      }
      queue.shift();
      queuedBytes -= piece.bytes.length;
      const isTaken = to.write(piece.bytes);
      if (!isTaken) {
        isBlocked = true;
        return;
      }
      // Pieces that follow each other in one turn would be joined to one packet again.
      if (fault?.kind === "slice" && queue.length > 0) {
        timer = setTimeout(pass, 0);
        return;
      }
    }
    if (queuedBytes <= queuedBytesMax) from.resume();
    if (hasEnded) to.end();
  }

  from.on("data", (bytes: Buffer) => take(change(bytes)));
  from.on("end", () => {
    hasEnded = true;
    pass();
  });
  to.on("drain", () => {
    isBlocked = false;
    pass();
  });
  return {
    get hasHole() {
      return hasHole;
    },
    govern(next) {
      fault = next;
      // Whatever acted before, what waits may go at once, or as the next fault says of what comes.
      if (next === undefined) queue = queue.map(({ bytes }) => ({ bytes, atMs: 0 }));
      if (next === undefined) lastMs = 0;
      pass();
    },
    stop() {
      clearTimeout(timer);
      queue = [];
    },
  };
}

function sliced(bytes: Buffer, bytesMax: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / bytesMax) }, (_, index) =>
    bytes.subarray(index * bytesMax, (index + 1) * bytesMax),
  );
}
