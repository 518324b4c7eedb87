/** What stands in the place of something that is not there: yet, at all, or for a reason. */
import type { ReactNode } from "react";
import type { Known } from "../data/useKnown.ts";
import { problemText } from "../format/problem.ts";
import { Button } from "./Button.tsx";

export function NotKnown({ known, what }: { readonly known: Known<unknown>; readonly what: string }): ReactNode {
  switch (known.kind) {
    case "known":
      return null;
    case "loading":
      return <p className="text-muted">Loading …</p>;
    case "none":
      return <p className="text-muted">There is no such {what}, or it is not yours to see.</p>;
    case "failed":
      return (
        <div role="alert" className="flex flex-col items-start gap-2">
          <p className="text-danger">{problemText(known.error)}</p>
          <Button onClick={known.again}>Try again</Button>
        </div>
      );
  }
}
