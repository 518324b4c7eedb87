/** How long a model may take: where the limits of an answer are set. */
import { integer } from "./values.ts";

export interface AssistantsConfig {
  readonly firstTokenSeconds: number;
  readonly betweenTokensSeconds: number;
  readonly answerSeconds: number;
}

const seconds = { kind: integer(1, 86_400, "a minute is 60"), unit: "s", secret: false } as const;

export const assistantFields = [
  {
    ...seconds,
    path: "assistants.firstTokenSeconds",
    default: 60,
    sentence: "How long an assistant's model may take to begin its answer.",
  },
  {
    ...seconds,
    path: "assistants.betweenTokensSeconds",
    default: 60,
    sentence: "How long it may be silent amid an answer.",
  },
  {
    ...seconds,
    path: "assistants.answerSeconds",
    default: 900,
    sentence: "How long the whole answer may take, with all attempts.",
  },
] as const;
