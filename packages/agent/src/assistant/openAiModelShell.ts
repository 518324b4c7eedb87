/**
 * Any endpoint that speaks like OpenAI's chat completions, through the AI SDK.
 *
 * One request an answer: retries and deadlines are `answer.ts`'s. Invariants: the key goes to the configured origin only
 * (a redirect is an error) and is in no error and no log; what a server sends is bounded ({@link responseBytesMax}) and
 * believed nothing: a sentence of its own reaches the person shortened and as one line. It has no tools to give.
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Usage } from "@holdfast/control/contract";
import { type FinishReason, type LanguageModelUsage, streamText } from "ai";
import { type ChatModel, ModelError, type ModelPart } from "./chatModel.ts";
import { modelErrorOf } from "./modelErrors.ts";

/** Of one answer, with all that surrounds its text. */
export const responseBytesMax = 16 * 1024 * 1024;

export interface OpenAiSettings {
  /** The base URL, as `https://api.example.com/v1`. */
  readonly endpoint: string;
  readonly model: string;
  readonly systemPrompt: string;
  readonly key: string | undefined;
}

// It would print warnings about models to the console.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** `now`: for a `Retry-After` that names a moment. */
export function openAiModel(settings: OpenAiSettings, now: () => number): ChatModel {
  const { endpoint, model, systemPrompt, key } = settings;
  const provider = createOpenAICompatible({
    name: "holdfast",
    baseURL: endpoint,
    includeUsage: true,
    fetch: boundedFetch,
    ...(key === undefined ? {} : { apiKey: key }),
  });
  return {
    async *answer(turns, signal) {
      const result = streamText({
        model: provider(model),
        ...(systemPrompt === "" ? {} : { system: systemPrompt }),
        messages: turns.map(({ role, text }) => ({ role, content: text })),
        abortSignal: signal,
        maxRetries: 0,
        // It is in the stream too; by default it would go to the console, with all that it holds.
        onError: () => {},
      });
      try {
        for await (const part of result.fullStream) {
          switch (part.type) {
            case "text-delta":
              yield { kind: "text", text: part.text } satisfies ModelPart;
              break;
            case "reasoning-delta":
              yield { kind: "thought" } satisfies ModelPart;
              break;
            case "error":
              throw part.error;
            case "finish":
              yield endOf(part.finishReason, part.totalUsage);
              break;
            default:
          }
        }
      } catch (error) {
        throw modelErrorOf(error, key, now());
      }
    },
  };
}

function endOf(reason: FinishReason, usage: LanguageModelUsage): ModelPart {
  if (reason === "error") throw new ModelError("the model's answer was cut off", true);
  const remark = remarks[reason];
  return { kind: "end", usage: usageOf(usage), ...(remark === undefined ? {} : { remark }) };
}

const remarks: Partial<Record<FinishReason, string>> = {
  length: "the model stopped at its limit of tokens",
  "content-filter": "a filter of the model's provider stopped it",
  "tool-calls": "the model wanted to call a tool, and has none",
};

function usageOf({ inputTokens, outputTokens }: LanguageModelUsage): Usage | undefined {
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return { inputTokens: wholeNumber(inputTokens), outputTokens: wholeNumber(outputTokens) };
}

const wholeNumber = (count: number | undefined): number => Math.max(0, Math.round(count ?? 0)) || 0;

/** No redirects, and an end to an answer that has none. */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: "error" });
  if (response.body === null) return response;
  let bytes = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      bytes += piece.byteLength;
      if (bytes > responseBytesMax)
        controller.error(new ModelError(`the model's server sent more than ${responseBytesMax} bytes`, false));
      else controller.enqueue(piece);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
};
