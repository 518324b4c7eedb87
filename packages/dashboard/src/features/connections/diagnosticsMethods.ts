/** What every server answers besides its app's methods. A type only. */
import type { Diagnostics } from "@holdfast/protocol/schema";

export type DiagnosticsMethods = {
  "diagnostics.get": { readonly params: { readonly records?: number }; readonly result: Diagnostics };
};
