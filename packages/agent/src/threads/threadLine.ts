/**
 * One thread, as its agent publishes to it: one producer, one order.
 *
 * Everything of a thread (output, keyframes, a command's start and end) goes through here, so that an end
 * never overtakes the bytes before it. While a keyframe is being drawn the line is *held*: what comes waits
 * in order, and the sources are paused, so what waits is bounded by what a pty had already read.
 * Invariant: events reach the producer in the order of `publish`. It deliberately never drops (PB-4).
 */

import type { Producer } from "@holdfast/client/publisher";
import type { AgentEventData, AgentEventName } from "@holdfast/control/contract";
import type { ProtocolError, PublishedEvent } from "@holdfast/protocol";
import type { AgentLog } from "../log.ts";

/** `null`: in the log; else why the server rejected it (PB-2). */
export type Decision = ProtocolError | null;

export class ThreadLine {
  readonly thread: string;
  private readonly producer: Producer;
  private readonly log: AgentLog;
  private readonly waiting: (() => void)[] = [];
  private holds = 0;
  private undecided = 0;
  private last: Promise<unknown> = Promise.resolve();
  /** Rejections by event and code: told at the 1st, 10th, 100th … of a kind. */
  private readonly rejections = new Map<string, number>();

  constructor(thread: string, producer: Producer, log: AgentLog) {
    this.thread = thread;
    this.producer = producer;
    this.log = log;
  }

  /** False while the source of output should pause. */
  get accepting(): boolean {
    return this.producer.accepting && this.holds === 0;
  }

  /** True while nothing is held and everything published is decided. */
  get idle(): boolean {
    return this.waiting.length === 0 && this.undecided === 0 && this.holds === 0;
  }

  /** Calls back when the producer's buffer has room again. Returns how to stop it. */
  onDrain(listener: () => void): () => void {
    return this.producer.onDrain(listener);
  }

  /**
   * Publishes one event after all before it. `sent` is called at the moment it takes its place in the order.
   * Resolves to `null`, or to why the server rejected it; rejects where the producer stopped (fenced, forbidden).
   */
  publish<Name extends AgentEventName>(
    event: Name,
    data: AgentEventData[Name],
    extras: { readonly keyframe?: string; readonly sent?: () => void } = {},
  ): Promise<Decision> {
    const { keyframe, sent } = extras;
    const published = { event, data, ...(keyframe === undefined ? {} : { keyframe }) };
    const decision =
      this.holds === 0
        ? this.send(published, sent)
        : new Promise<Decision>((resolve, reject) => {
            this.waiting.push(() => void this.send(published, sent).then(resolve, reject));
          });
    this.last = decision.catch(() => {});
    return decision;
  }

  /** Publishes past the hold: only what the hold is for. */
  publishHeld<Name extends AgentEventName>(
    event: Name,
    data: AgentEventData[Name],
    keyframe: string,
  ): Promise<Decision> {
    return this.send({ event, data, keyframe }, undefined);
  }

  /** Resolves once everything published so far is decided, or never will be. */
  async decided(): Promise<void> {
    await this.last;
  }

  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
    while (this.holds === 0) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  close(): void {
    this.producer.close();
  }

  private send(event: PublishedEvent, sent: (() => void) | undefined): Promise<Decision> {
    this.undecided += 1;
    const decision = this.producer.publish(event);
    sent?.();
    decision.then(
      (error) => this.conclude(event, error ?? undefined),
      (error: unknown) => this.conclude(event, error),
    );
    return decision;
  }

  private conclude(event: PublishedEvent, error: unknown): void {
    this.undecided -= 1;
    if (error === undefined) return;
    const kind = `${event.event} ${(error as { code?: string }).code ?? "unknown"}`;
    const count = (this.rejections.get(kind) ?? 0) + 1;
    this.rejections.set(kind, count);
    if (!/^10*$/.test(String(count))) return;
    this.log.warn("agent.publish.rejected", { thread: this.thread, event: event.event, error, count });
  }
}
