/** The assistants: how long a model may take, and what their keys are encrypted for. */
import { integer, optional, randomKey } from "./values.ts";

export interface AssistantsConfig {
  readonly sealingKey: string | null;
  readonly firstTokenSeconds: number;
  readonly betweenTokensSeconds: number;
  readonly answerSeconds: number;
}

const seconds = { kind: integer(1, 86_400, "a minute is 60"), unit: "s", secret: false } as const;

export const assistantFields = [
  {
    path: "assistants.sealingKey",
    kind: optional(randomKey()),
    default: null,
    secret: true,
    sentence:
      "What models' keys are encrypted for: 32 random bytes in base64url, the same for all servers on one database; each makes its own otherwise, and what was encrypted for one the others cannot open.",
  },
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
