/**
 * A node's diagnostics, asked anew while somebody looks.
 *
 * Life cycle: asked at once → again {@link againMs} after each answer, not while the page is hidden → never after it
 * is gone. Invariant: one question under way; what was answered stays until there is something newer.
 */
import type { Diagnostics } from "@holdfast/protocol/schema";
import { useRequest } from "@holdfast/react";
import { useEffect, useState } from "react";
import { pageClock } from "../../shared/platform/clockShell.ts";
import type { DiagnosticsMethods } from "./diagnosticsMethods.ts";

const againMs = 5_000;

export interface DiagnosticsView {
  readonly diagnostics: Diagnostics | undefined;
  /** Why there is nothing newer. */
  readonly error: Error | undefined;
}

export function useDiagnostics(): DiagnosticsView {
  const { send, error } = useRequest<DiagnosticsMethods>("diagnostics.get");
  const [diagnostics, setDiagnostics] = useState<Diagnostics>();
  useEffect(() => {
    let isGone = false;
    let stop = (): void => {};
    const ask = async (): Promise<void> => {
      if (document.visibilityState === "visible") {
        const answer = await send({}).catch(() => undefined);
        if (isGone) return;
        if (answer !== undefined) setDiagnostics(answer);
      }
      stop = pageClock.after(againMs, () => void ask());
    };
    void ask();
    return () => {
      isGone = true;
      stop();
    };
  }, [send]);
  return { diagnostics, error };
}
