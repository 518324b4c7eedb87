/**
 * A model's text on its way into a thread: `message.started`, pieces, `message.finished` with the whole.
 *
 * A model gives some tokens at a time, and an event for each would cost more than it says: pieces are gathered for
 * {@link gatherMs}, or up to {@link pieceCharsMax}. A text that outgrows an event's limit goes on in another message
 * (several replies to one message are legal). Life cycle: nothing → message open ⇄ next message → finished, once.
 * Invariants: the pieces of a message, joined, are its whole text; nothing is published after the end. It waits where
 * the producer's buffer is full (PB-4), and deliberately knows no model.
 */
import { messageScope } from "@holdfast/control/names";
import type { Clock } from "@holdfast/protocol";
import type { ThreadLine } from "../threads/threadLine.ts";

export const gatherMs = 25;
export const pieceCharsMax = 4_096;
/** As JSON a character has six bytes at most, and an event 128 KiB. */
export const messageCharsMax = 20_000;

export interface MessageWriterParts {
  readonly line: ThreadLine;
  readonly command: string;
  readonly clock: Clock;
  readonly newId: () => string;
}

export class MessageWriter {
  private readonly parts: MessageWriterParts;
  private message: string | undefined;
  private text = "";
  private gathered = "";
  private timer: unknown;
  private ended = false;

  constructor(parts: MessageWriterParts) {
    this.parts = parts;
  }

  /** Resolves when there is room for more. */
  async write(text: string): Promise<void> {
    for (const part of split(text.toWellFormed(), pieceCharsMax)) {
      if (this.text.length + this.gathered.length + part.length > messageCharsMax) this.finishMessage();
      this.gathered += part;
      if (this.gathered.length >= pieceCharsMax) this.flush();
    }
    if (this.gathered !== "") this.timer ??= this.parts.clock.after(gatherMs, () => this.flush());
    if (!this.parts.line.accepting) await this.drained();
  }

  /** Publishes what is left and the message's end. Idempotent. */
  finish(): void {
    this.finishMessage();
    this.ended = true;
  }

  private flush(): void {
    this.parts.clock.cancel(this.timer);
    this.timer = undefined;
    if (this.gathered === "" || this.ended) return;
    const { line, command, newId } = this.parts;
    const text = this.gathered;
    this.gathered = "";
    if (this.message === undefined) {
      this.message = newId();
      line.publish("message.started", { command, message: this.message }).catch(() => {});
    }
    this.text += text;
    line.publish("text.delta", { command, message: this.message, text }).catch(() => {});
  }

  private finishMessage(): void {
    this.flush();
    const { message, text } = this;
    if (message === undefined) return;
    this.message = undefined;
    this.text = "";
    const keyframe = messageScope(message);
    this.parts.line
      .publish("message.finished", { command: this.parts.command, message, text }, { keyframe })
      .catch(() => {});
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.parts.line.onDrain(() => {
        stop();
        resolve();
      });
    });
  }
}

/** Pieces of at most `charsMax`, none of which ends with half a character. */
function split(text: string, charsMax: number): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + charsMax);
    if (to < text.length && /[\ud800-\udbff]/.test(text[to - 1] ?? "")) to -= 1;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
