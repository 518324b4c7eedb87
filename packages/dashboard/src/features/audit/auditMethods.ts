/** What every server answers about its audit. Types only. */
import type { AuditEntry } from "@holdfast/protocol/schema";

export interface AuditFilter {
  /** An id, or a part of a name; empty: everybody. */
  readonly person: string;
  /** How methods begin; empty: all. */
  readonly action: string;
}

export type AuditMethods = {
  "audit.search": {
    readonly params: Partial<AuditFilter> & { readonly limit?: number; readonly next?: string };
    readonly result: { readonly items: readonly AuditEntry[]; readonly next?: string };
  };
};
