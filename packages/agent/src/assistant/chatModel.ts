/**
 * A chat model as an assistant sees it: turns in, pieces of text out, one end.
 *
 * Implementations: the script (`scriptedModel.ts`) and any OpenAI-compatible endpoint (`openAiModelShell.ts`). What it
 * throws is a {@link ModelError}. It deliberately knows no deadlines, no retries and no threads: those are the
 * answer's (`answer.ts`).
 */
import type { Usage } from "@holdfast/control/contract";

export interface ChatTurn {
  readonly role: "user" | "assistant";
  readonly text: string;
}

export type ModelPart =
  | { readonly kind: "text"; readonly text: string }
  /** It works, and nothing of it is to be shown. */
  | { readonly kind: "thought" }
  /** The last one. `remark`: why it ended where it did, if that is to be told. */
  | { readonly kind: "end"; readonly usage: Usage | undefined; readonly remark?: string };

export interface ChatModel {
  /** Begins an answer to the last turn. `signal` ends it at once. Rejects with a {@link ModelError}. */
  answer(turns: readonly ChatTurn[], signal: AbortSignal): AsyncIterable<ModelPart>;
}

/** Why a model did not answer, in a sentence for the person who waits; it never holds a credential. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  /** Whether the same request may succeed a moment later. */
  readonly isRetryable: boolean;
  /** How long the model's server asks us to wait, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, isRetryable: boolean, retryAfterMs?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.isRetryable = isRetryable;
    this.retryAfterMs = retryAfterMs;
  }
}
