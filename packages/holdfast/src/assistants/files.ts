/**
 * What the server's process and the assistants' process tell each other: files in the assistants' folder.
 *
 *   <data>/agent/assistants/assistants.json   which there are, written by the server's process
 *   <data>/agent/assistants/<id>/key          the API key of one, written by the server's process
 *   <data>/agent/assistants/<id>/…            what its agent keeps
 *
 * The assistants' process lives on where the server dies, so what it needs lies here and in no connection between the two.
 * Invariant: a file is replaced as a whole, and read by its owner only.
 */
import { join } from "node:path";
import type { AssistantSettings, ModelSettings } from "@holdfast/agent/assistants";
import type { FlagTable } from "../commandLine/flags.ts";
import { readKey } from "../files/keyFile.ts";
import { makeFolder } from "../files/makeFolder.ts";
import { readTextFile, writePrivateFile } from "../files/privateFile.ts";

export const assistantsFlags = { server: "value", state: "value" } as const satisfies FlagTable;

/** One assistant as the file names it. */
export interface AssistantRecord {
  readonly id: string;
  readonly name: string;
  readonly model: ModelSettings;
}

export function assistantsFolder(data: string): string {
  return join(data, "agent", "assistants");
}

export function assistantsFile(folder: string): string {
  return join(folder, "assistants.json");
}

export function assistantFolder(folder: string, id: string): string {
  return join(folder, encodeURIComponent(id));
}

export function writeAssistants(folder: string, assistants: readonly AssistantRecord[]): void {
  makeFolder(folder);
  writePrivateFile(assistantsFile(folder), `${JSON.stringify({ assistants }, null, 2)}\n`);
}

/** With their keys; none where there is no file yet. Throws what is wrong with one that cannot be read. */
export function readAssistants(folder: string): AssistantSettings<ModelSettings>[] {
  const text = readTextFile(assistantsFile(folder));
  if (text === undefined) return [];
  const { assistants } = JSON.parse(text) as { readonly assistants: readonly AssistantRecord[] };
  return assistants.map(({ id, name, model }) => {
    const state = assistantFolder(folder, id);
    return { id, name, model, state, key: readKey(state) };
  });
}
