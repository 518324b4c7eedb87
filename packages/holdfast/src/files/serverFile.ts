/**
 * `<data>/server.json`: where the running server of a data folder is found, by the local agents and by
 * `holdfast sign-in`, since port 0 and a changed port are known nowhere else.
 *
 * Life cycle: written once the server listens, removed at its clean stop; after a crash it stays behind and
 * names a server that does not answer. Invariant: it is never half written. It deliberately holds no secret.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readTextFile, writePrivateFile } from "./privateFile.ts";

export interface ServerRecord {
  /** For programs of this machine: `http://127.0.0.1:4400`, without slash at the end. */
  readonly url: string;
  /** For people; the same where there is no public name. */
  readonly publicUrl: string;
  readonly pid: number;
  readonly version: string;
}

export function serverFile(data: string): string {
  return join(data, "server.json");
}

export function operatorKeyFile(data: string): string {
  return join(data, "operator.key");
}

export function writeServerRecord(data: string, record: ServerRecord): void {
  writePrivateFile(serverFile(data), `${JSON.stringify(record)}\n`);
}

/** Removes it unless another server has taken its place. */
export function removeServerRecord(data: string, pid: number): void {
  if (readServerRecord(serverFile(data))?.pid === pid) rmSync(serverFile(data), { force: true });
}

/** The record, or undefined where there is none that can be understood. */
export function readServerRecord(path: string): ServerRecord | undefined {
  const text = readTextFile(path);
  if (text === undefined) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof record !== "object" || record === null) return undefined;
  const { url, publicUrl = url, pid, version } = record as Partial<Record<keyof ServerRecord, unknown>>;
  if (typeof url !== "string" || !URL.canParse(url) || typeof pid !== "number" || typeof version !== "string")
    return undefined;
  return { url, publicUrl: typeof publicUrl === "string" ? publicUrl : url, pid, version };
}
