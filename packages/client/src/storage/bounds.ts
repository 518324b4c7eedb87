/** What every storage keeps to: sizes in bytes of JSON, and whose it is. */
import type { Identity } from "@holdfast/protocol";
import { type StoredRequest, statesStoredBytesMax } from "./port.ts";

export const jsonBytes = (value: unknown): number => textBytes(JSON.stringify(value) ?? "");

export const textBytes = (text: string): number => new TextEncoder().encode(text).length;

export const outboxBytes = (requests: readonly StoredRequest[]): number =>
  requests.reduce((sum, request) => sum + jsonBytes(request), 0);

/** Which of the others go so that one of `bytes` fits. `others`: those saved longest ago first. */
export function statesToForget(
  others: readonly { readonly key: string; readonly bytes: number }[],
  bytes: number,
): readonly string[] {
  let total = others.reduce((sum, row) => sum + row.bytes, bytes);
  const gone: string[] = [];
  for (const row of others) {
    if (total <= statesStoredBytesMax) break;
    total -= row.bytes;
    gone.push(row.key);
  }
  return gone;
}

export const isSameIdentity = (one: Identity, other: Identity): boolean =>
  one.user === other.user && one.workspace === other.workspace;
