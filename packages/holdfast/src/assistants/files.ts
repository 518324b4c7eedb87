/**
 * What the server's process and the assistants' process tell each other: files in the assistants' folder.
 *
 *   <data>/agent/assistants/assistants.json   which there are, written by the server's process; models' keys encrypted
 *   <data>/agent/assistants/sealing.key       what opens them
 *   <data>/agent/assistants/holder            this server's name among those on its database
 *   <data>/agent/assistants/<id>/key          the API key of one, written by the server's process
 *   <data>/agent/assistants/<id>/…            what its agent keeps
 *
 * The assistants' process lives on where the server dies, so what it needs lies here and in no connection between the two.
 * Invariant: a file is replaced as a whole, and read by its owner only.
 */
import { join } from "node:path";
import type { AnswerLimits, AssistantSettings, ModelSettings } from "@holdfast/agent/assistants";
import type { FlagTable } from "../commandLine/flags.ts";
import { readKey } from "../files/keyFile.ts";
import { makeFolder } from "../files/makeFolder.ts";
import { readTextFile, writePrivateFile } from "../files/privateFile.ts";

const secretBytes = 32;
const holderBytes = 16;

export const assistantsFlags = { server: "value", state: "value" } as const satisfies FlagTable;

/** The private key of this folder's process, for which models' keys are encrypted; made where there is none. */
export function readSecret(folder: string, randomBytes: (count: number) => Uint8Array): Uint8Array {
  const path = secretFile(folder);
  const known = Buffer.from(readTextFile(path)?.trim() ?? "", "base64url");
  if (known.length === secretBytes) return known;
  const secret = randomBytes(secretBytes);
  makeFolder(folder);
  writePrivateFile(path, `${Buffer.from(secret).toString("base64url")}\n`);
  return secret;
}

/** The same secret as other servers on the database have, so that each can open what was encrypted for another. */
export function writeSecret(folder: string, secret: string): void {
  if (readTextFile(secretFile(folder))?.trim() === secret) return;
  makeFolder(folder);
  writePrivateFile(secretFile(folder), `${secret}\n`);
}

/** By which name this server is known among those on its database: made at its first start. */
export function readHolder(folder: string, randomBytes: (count: number) => Uint8Array): string {
  const path = join(folder, "holder");
  const known = readTextFile(path)?.trim() ?? "";
  if (known !== "") return known;
  const holder = Buffer.from(randomBytes(holderBytes)).toString("base64url");
  makeFolder(folder);
  writePrivateFile(path, `${holder}\n`);
  return holder;
}

function secretFile(folder: string): string {
  return join(folder, "sealing.key");
}

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

/** What the server's process tells the assistants' process. */
export interface AssistantsRecord {
  readonly limits: AnswerLimits;
  readonly assistants: readonly AssistantRecord[];
}

/** Leaves a file alone that says the same already. */
export function writeAssistants(folder: string, record: AssistantsRecord): void {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (readTextFile(assistantsFile(folder)) === text) return;
  makeFolder(folder);
  writePrivateFile(assistantsFile(folder), text);
}

/** With their keys; none where there is no file yet. Throws what is wrong with one that cannot be read. */
export function readAssistants(folder: string): {
  /** What was read. */
  readonly text: string | undefined;
  readonly limits: AnswerLimits | undefined;
  readonly assistants: readonly AssistantSettings<ModelSettings>[];
} {
  const text = readTextFile(assistantsFile(folder));
  if (text === undefined) return { text, limits: undefined, assistants: [] };
  const { limits, assistants } = JSON.parse(text) as AssistantsRecord;
  return {
    text,
    limits,
    assistants: assistants.map(({ id, name, model }) => {
      const state = assistantFolder(folder, id);
      return { id, name, model, state, key: readKey(state) };
    }),
  };
}
