/**
 * Sends what a person types to a terminal: in order, in few requests, never blindly.
 *
 * Keys that come while {@link writesUnderWayMax} requests are under way wait and travel together. The order
 * is kept by the requests' lane (RQ-4). Without a link nothing is taken: keys typed at a screen that is old
 * would act on one that nobody sees. When a write fails, what waits behind it is dropped, and told.
 */

/** Requests not yet answered. */
export const writesUnderWayMax = 8;
/** Bytes of one request; as base64 it must stay under the method's 64,000 characters. */
export const writeBytesMax = 45_000;
/** Bytes that wait; a larger paste is refused whole. */
export const waitingBytesMax = 1024 * 1024;

export interface TerminalInputOptions {
  /** Sends base64; resolves when the server has it. */
  readonly send: (data: string) => Promise<unknown>;
  readonly isLinked: () => boolean;
  readonly onProblem: (problem: TerminalInputProblem) => void;
}

export type TerminalInputProblem =
  | { readonly kind: "notLinked" }
  | { readonly kind: "tooLarge"; readonly bytes: number }
  | { readonly kind: "failed"; readonly error: unknown };

export class TerminalInput {
  private readonly options: TerminalInputOptions;
  private waiting: number[] = [];
  private underWay = 0;

  constructor(options: TerminalInputOptions) {
    this.options = options;
  }

  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (!this.options.isLinked()) {
      this.waiting = [];
      this.options.onProblem({ kind: "notLinked" });
      return;
    }
    if (this.waiting.length + bytes.length > waitingBytesMax) {
      this.options.onProblem({ kind: "tooLarge", bytes: bytes.length });
      return;
    }
    for (const byte of bytes) this.waiting.push(byte);
    this.flush();
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.underWay < writesUnderWayMax) {
      const part = this.waiting.splice(0, writeBytesMax);
      this.underWay += 1;
      this.options.send(base64Of(part)).then(
        () => this.settled(),
        (error: unknown) => this.failed(error),
      );
    }
  }

  private settled(): void {
    this.underWay -= 1;
    this.flush();
  }

  private failed(error: unknown): void {
    this.underWay -= 1;
    this.waiting = [];
    this.options.onProblem({ kind: "failed", error });
  }
}

export function base64Of(bytes: readonly number[]): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
