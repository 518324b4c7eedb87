/**
 * What became of a `hello`: admitted as somebody, or denied with a code and, where it helps, a time to come back.
 *
 * Shared by the openings of people and of agents, and by the connection that answers. Pure data.
 */
import { type AgentIdentity, closeCodes, type Hello } from "@holdfast/protocol";
import type { Return } from "../admission/admission.ts";
import { defaultFeatures, type Features } from "../flags/features.ts";
import type { Principal } from "../plugin.ts";

export interface Admitted {
  readonly kind: "admitted";
  readonly principal: Principal;
  readonly expiresAt: number | undefined;
  readonly credential: string | undefined;
  readonly agent: AgentIdentity | undefined;
  /** What it may use; the defaults where nobody has judged. */
  readonly features?: Features;
  /** OP-7: of an agent that the store has not named yet. */
  readonly naming?: Naming;
}

export function featuresOf({ features = defaultFeatures }: Pick<Admitted, "features">): Features {
  return features;
}

export interface Denied {
  readonly kind: "denied";
  /** Whom the credential named, where it held: for the record. */
  readonly who?: Principal;
  /** The agent whose `hello` is in the store already: it is online by this connection, which will not open. */
  readonly registered?: { readonly id: string; readonly workspace: string };
  readonly code: number;
  readonly reason: string;
  /** CL-4 */
  readonly comeBack?: Return;
}

/** What comes after the `welcome` of an agent that could not be named at once. */
export interface Naming {
  /** Called once: its identity, or why it may not stay. */
  onNamed(told: (named: Admitted | Denied) => void): void;
  /** The connection has ended: nobody is left to be named. */
  cancel(): void;
}

/** OP-5: what the client holds belongs to one user and workspace. */
export function admit({ expect }: Hello, admitted: Admitted): Admitted | Denied {
  const { id, workspace } = admitted.principal;
  if (expect === undefined || (expect.user === id && expect.workspace === workspace)) return admitted;
  return denied(closeCodes.identityChanged, "identity_changed");
}

export function denied(code: number, reason: string, comeBack?: Return): Denied {
  if (comeBack === undefined) return { kind: "denied", code, reason };
  const { retryAfter, slot } = comeBack;
  return { kind: "denied", code, reason, comeBack: { retryAfter, slot } };
}

/** The agent that a judgement leaves in the store as online by its connection. */
export function registeredBy(judged: Admitted | Denied): Denied["registered"] {
  if (judged.kind === "denied") return judged.registered;
  const { agent, principal } = judged;
  return agent === undefined ? undefined : { id: agent.id, workspace: principal.workspace };
}
