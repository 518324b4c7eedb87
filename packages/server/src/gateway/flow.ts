/**
 * How much one connection may have under way, and when its socket is not read (AD-5).
 *
 * Invariant: reading stops while any limit is passed and goes on as soon as none is; what already arrived
 * waits as long, or one frame would hold 9,000 requests. A connection that stays over a limit for 5 minutes
 * is closed by the sweep.
 */
import { type Clock, limits, type TimerHandle } from "@holdfast/protocol";
import type { ServerSocket } from "./serverSocket.ts";

export interface Flow {
  /** One message arrived: a token of the bucket (200/s, burst 400). */
  message(): void;
  requestBegan(): void;
  requestEnded(): void;
  publishBegan(bytes: number): void;
  publishEnded(bytes: number): void;
  /** Looks again whether the socket may be read: after a drain, for one. */
  update(): void;
  /** Monotonic ms since reading was stopped; undefined while it is read. */
  readonly pausedSince: number | undefined;
  end(): void;
}

/** `resumed` is called when no limit is passed any more, before anything further is read. */
export function createFlow(
  socket: ServerSocket,
  clock: Clock,
  unsentAnswerBytes: () => number,
  resumed: () => void,
): Flow {
  let requests = 0;
  let publishBytes = 0;
  let tokens: number = limits.messagesBurst;
  let filledAt = clock.monotonic();
  let pausedSince: number | undefined;
  let timer: TimerHandle | undefined;
  let ended = false;

  const refill = (): void => {
    const now = clock.monotonic();
    tokens = Math.min(limits.messagesBurst, tokens + ((now - filledAt) / 1_000) * limits.messagesPerSecond);
    filledAt = now;
  };

  const isOver = (): boolean =>
    requests > limits.requestsUnderWayMax ||
    publishBytes > limits.publishUnderWayBytesMax ||
    unsentAnswerBytes() > limits.unsentBytesMax ||
    tokens < 1;

  const update = (): void => {
    if (ended) return;
    refill();
    if (isOver() && pausedSince === undefined) {
      pausedSince = clock.monotonic();
      socket.pause();
    } else if (!isOver() && pausedSince !== undefined) {
      pausedSince = undefined;
      socket.resume();
      resumed();
    }
    if (tokens < 1 && timer === undefined) {
      timer = clock.after(Math.ceil(1_000 / limits.messagesPerSecond) * 10, () => {
        timer = undefined;
        update();
      });
    }
  };

  return {
    message() {
      refill();
      tokens -= 1;
      update();
    },
    requestBegan() {
      requests += 1;
      update();
    },
    requestEnded() {
      requests -= 1;
      update();
    },
    publishBegan(bytes) {
      publishBytes += bytes;
      update();
    },
    publishEnded(bytes) {
      publishBytes -= bytes;
      update();
    },
    update,
    get pausedSince() {
      return pausedSince;
    },
    end() {
      ended = true;
      if (timer !== undefined) clock.cancel(timer);
      timer = undefined;
    },
  };
}
