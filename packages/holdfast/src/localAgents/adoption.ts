/**
 * What to do about a local agent at the start of the server: start it, adopt the living one, or replace that.
 *
 * Pure. The living one is adopted whenever it can serve this server, for it may be running a person's command.
 */
import type { ProcessRecord } from "../files/processLock.ts";

export interface Wanted {
  readonly version: string;
  /** Whether the server wants a key of its agents; without that want, one with a key is as good. */
  readonly key: boolean;
}

export type Adoption =
  | { readonly kind: "start" }
  | { readonly kind: "adopt"; readonly pid: number }
  | { readonly kind: "replace"; readonly pid: number; readonly why: "version" | "key" };

/** `living` is the record of the process that holds the agent's folder, undefined where none does. */
export function decideAdoption(living: ProcessRecord | undefined, wanted: Wanted): Adoption {
  if (living === undefined) return { kind: "start" };
  if (living.version !== wanted.version) return { kind: "replace", pid: living.pid, why: "version" };
  if (wanted.key && !living.key) return { kind: "replace", pid: living.pid, why: "key" };
  return { kind: "adopt", pid: living.pid };
}
