/**
 * What nodes tell each other by a stream of their own: that somebody's rights have changed (AU-9), that another key will
 * sign, that an agent speaks from another place now (OP-7), that an admin wants to read more of the log, or to see what
 * a fault does.
 *
 * Life cycle of a notice: appended in the transaction of the change itself, so that neither is there without the
 * other → read by every node from its cursor, like any stream (`noticeReader.ts`) → obeyed (`obedience.ts`). The
 * stream lies in {@link noticesWorkspace}, which is nobody's: no client can name it. Invariant: a notice says what has
 * changed and for whom, never what it is now; that is in the store. (A level of the log and a fault are nowhere else.) Pure.
 */
import { faultKinds, type MadeFault } from "../faults/fault.ts";
import type { LentLevel } from "../observe/lentLevels.ts";
import { logLevels } from "../observe/logLevels.ts";

/** No workspace of a credential is empty. */
export const noticesWorkspace = "";
export const noticesStream = "holdfast.nodes";

export type NodeNotice =
  /** A session, key or person, named as in a verdict's `credential`: whoever is here by it may not be (4403). */
  | { readonly kind: "credentialEnded"; readonly credential: string }
  /** A person's role: their connections are to come back with what they may now (1012). */
  | { readonly kind: "rightsChanged"; readonly workspace: string; readonly principal: string }
  /** There is another key that signs sessions and API keys. */
  | { readonly kind: "signingKeysChanged" }
  /** OP-7: a newer process speaks for an agent, from another node than the one before: older ones are fenced (4409). */
  | { readonly kind: "agentFenced"; readonly workspace: string; readonly agent: string; readonly generation: number }
  /** An admin has asked for another level of the log, on all nodes, until then. */
  | ({ readonly kind: "logLevel" } & LentLevel)
  /** In development mode: somebody wants to see what becomes of a fault, on all nodes, until then. */
  | ({ readonly kind: "weather" } & MadeFault);

/** `unknown`: of a newer program, or removed by retention; something of somebody's rights has changed. */
export type HeardNotice = NodeNotice | { readonly kind: "unknown" };

/** The notice of an event as it lies in the log. */
export function readNotice(event: string, data: unknown): HeardNotice {
  const fields = typeof data === "object" && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  const { credential, workspace, principal, agent, generation } = fields;
  if (event === "credentialEnded" && isName(credential)) return { kind: event, credential };
  if (event === "rightsChanged" && isName(workspace) && isName(principal)) return { kind: event, workspace, principal };
  if (event === "signingKeysChanged") return { kind: event };
  if (event === "agentFenced" && isName(workspace) && isName(agent) && Number.isSafeInteger(generation))
    return { kind: event, workspace, agent, generation: Number(generation) };
  if (event === "logLevel") return readLevel(fields) ?? { kind: "unknown" };
  return event === "weather" ? (readFault(fields) ?? { kind: "unknown" }) : { kind: "unknown" };
}

function readFault({ fault, until, by }: Readonly<Record<string, unknown>>): NodeNotice | undefined {
  const known = faultKinds.find((one) => one === fault);
  if (known === undefined || !isName(by) || !Number.isSafeInteger(until)) return undefined;
  return { kind: "weather", fault: known, until: Number(until), by };
}

function readLevel({ room, level, until, by }: Readonly<Record<string, unknown>>): NodeNotice | undefined {
  const known = logLevels.find((one) => one === level);
  if (known === undefined || !isName(room) || !isName(by) || !Number.isSafeInteger(until)) return undefined;
  return { kind: "logLevel", room, level: known, until: Number(until), by };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
