/** How long ago something was, going on by itself. `at` is on the server's clock. */
import type { ReactNode } from "react";
import { useConnectionNow } from "../data/LiveData.tsx";
import { age } from "../format/time.ts";
import { useNow } from "./useNow.ts";

export function Age({ at, className = "" }: { readonly at: number; readonly className?: string }): ReactNode {
  const now = useNow();
  const { clockOffset } = useConnectionNow();
  return (
    <time
      dateTime={new Date(at).toISOString()}
      title={new Date(at).toLocaleString()}
      className={`tabular-nums ${className}`}
    >
      {age(at, now + clockOffset)}
    </time>
  );
}
