/** Assistants for a process of their own: `runAssistants` is all there is for a caller. */
import { createPublisherSession } from "@holdfast/client/publisher";
import { systemClock, systemRandom } from "../ports/system.ts";
import { openStateFolder } from "../state/folder.ts";
import { type AssistantSettings, Assistants, type AssistantsOptions } from "./assistants.ts";
import { scriptedModel } from "./scriptedModel.ts";

export type { AssistantSettings };

/** Which model an assistant speaks by; null is the script. */
export type ModelSettings = null;

/** None runs until `configure` is called. Installs no signal handlers, prints nothing. */
export function runAssistants(options: Omit<AssistantsOptions<ModelSettings>, "makeModel">): Assistants<ModelSettings> {
  const makeModel = () => scriptedModel(systemClock);
  return new Assistants(
    { ...options, makeModel },
    {
      createSession: createPublisherSession,
      openState: openStateFolder,
      clock: systemClock,
      random: systemRandom,
    },
  );
}
