/** Assistants for a process of their own: `runAssistants` is all there is for a caller. */
import { createPublisherSession } from "@holdfast/client/publisher";
import { systemClock, systemRandom } from "../ports/system.ts";
import { openStateFolder } from "../state/folder.ts";
import type { AnswerLimits } from "./answer.ts";
import { type AssistantSettings, Assistants, type AssistantsOptions } from "./assistants.ts";
import { lazyModel } from "./lazyModel.ts";
import { scriptedModel } from "./scriptedModel.ts";

export type { AnswerLimits, AssistantSettings };

/** An OpenAI-compatible endpoint; null is the script. */
export type ModelSettings = {
  readonly endpoint: string;
  readonly model: string;
  readonly systemPrompt: string;
  /** Encrypted for this process (`@holdfast/control/sealedKey`). */
  readonly sealedKey: string | null;
} | null;

export interface RunOptions extends Omit<AssistantsOptions<ModelSettings>, "makeModel"> {
  /** Opens the key of an assistant. Throws where it cannot. */
  readonly openKey: (assistant: string, endpoint: string, sealedKey: string) => string;
}

/** None runs until `configure` is called. Installs no signal handlers, prints nothing. */
export function runAssistants({ openKey, ...options }: RunOptions): Assistants<ModelSettings> {
  const makeModel = (model: ModelSettings, assistant: string) =>
    model === null
      ? scriptedModel(systemClock)
      : lazyModel(async () => {
          const { endpoint, sealedKey } = model;
          const key = sealedKey === null ? undefined : openKey(assistant, endpoint, sealedKey);
          const { openAiModel } = await import("./openAiModelShell.ts");
          return openAiModel({ ...model, key }, () => systemClock.now());
        }, options.log);
  const ports = {
    createSession: createPublisherSession,
    openState: openStateFolder,
    clock: systemClock,
    random: systemRandom,
  };
  return new Assistants({ ...options, makeModel }, ports);
}
