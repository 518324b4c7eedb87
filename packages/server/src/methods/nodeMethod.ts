/**
 * A method that a node answers from what it knows itself, without the store: what only this process can tell.
 *
 * Declared like an app's methods, so that role, params and documentation are judged and made in one place. Invariant:
 * it answers at once, also while the store is away, and changes nothing.
 */
import type { Method } from "../plugin.ts";

export interface NodeMethod extends Omit<Method, "handle" | "kind" | "agents" | "secret" | "tell" | "audited"> {
  readonly kind: "read";
  readonly answer: (params: never) => unknown;
}

/** What can be asked for by name. */
export type AnyMethod = Method | NodeMethod;
