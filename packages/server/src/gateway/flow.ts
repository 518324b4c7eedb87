/**
 * How much one connection may have under way, and when its socket is not read (AD-5).
 *
 * Invariant: reading stops while any limit is passed and goes on as soon as none is; what already arrived
 * waits as long, or one frame would hold 9,000 requests. A connection that stays over a limit for 5 minutes
 * is closed by the sweep.
 */
import { type Clock, limits, type TimerHandle } from "@holdfast/protocol";
import type { ConnectionLimits } from "../connectionLimits.ts";
import type { ServerSocket } from "./serverSocket.ts";

type MessageRate = Pick<ConnectionLimits, "messagesPerSecond" | "messagesBurst">;

export interface Flow {
  /** One message arrived: a token of the bucket. */
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
  answers: { readonly unsentAnswerBytes: number },
  rate: MessageRate,
  resumed: () => void,
): Flow {
  return new SocketFlow(socket, clock, answers, rate, resumed);
}

/** A class, so that ten thousand idle connections share its functions: closures and getters of each cost 1.3 KiB. */
class SocketFlow implements Flow {
  readonly #socket: ServerSocket;
  readonly #clock: Clock;
  readonly #answers: { readonly unsentAnswerBytes: number };
  readonly #rate: MessageRate;
  readonly #resumed: () => void;
  #requests = 0;
  #publishBytes = 0;
  #tokens: number;
  #filledAt: number;
  #timer: TimerHandle | undefined;
  #ended = false;
  pausedSince: number | undefined;

  constructor(
    socket: ServerSocket,
    clock: Clock,
    answers: { readonly unsentAnswerBytes: number },
    rate: MessageRate,
    resumed: () => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#answers = answers;
    this.#rate = rate;
    this.#tokens = rate.messagesBurst;
    this.#resumed = resumed;
    this.#filledAt = clock.monotonic();
  }

  message(): void {
    this.#refill();
    this.#tokens -= 1;
    this.update();
  }

  requestBegan(): void {
    this.#requests += 1;
    this.update();
  }

  requestEnded(): void {
    this.#requests -= 1;
    this.update();
  }

  publishBegan(bytes: number): void {
    this.#publishBytes += bytes;
    this.update();
  }

  publishEnded(bytes: number): void {
    this.#publishBytes -= bytes;
    this.update();
  }

  update(): void {
    if (this.#ended) return;
    this.#refill();
    if (this.#isOver() && this.pausedSince === undefined) {
      this.pausedSince = this.#clock.monotonic();
      this.#socket.pause();
    } else if (!this.#isOver() && this.pausedSince !== undefined) {
      this.pausedSince = undefined;
      this.#socket.resume();
      this.#resumed();
    }
    if (this.#tokens < 1 && this.#timer === undefined) {
      this.#timer = this.#clock.after(Math.ceil(1_000 / this.#rate.messagesPerSecond) * 10, () => {
        this.#timer = undefined;
        this.update();
      });
    }
  }

  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#clock.cancel(this.#timer);
    this.#timer = undefined;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const fresh = ((now - this.#filledAt) / 1_000) * this.#rate.messagesPerSecond;
    this.#tokens = Math.min(this.#rate.messagesBurst, this.#tokens + fresh);
    this.#filledAt = now;
  }

  #isOver(): boolean {
    return (
      this.#requests > limits.requestsUnderWayMax ||
      this.#publishBytes > limits.publishUnderWayBytesMax ||
      this.#answers.unsentAnswerBytes > limits.unsentBytesMax ||
      this.#tokens < 1
    );
  }
}
