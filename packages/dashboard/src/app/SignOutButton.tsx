/** Ends this browser's session on the server; a failure is said, since the person would believe to be out. */
import { type ReactNode, useState } from "react";
import { problemText } from "../shared/format/problem.ts";
import { Button } from "../shared/ui/Button.tsx";
import { usePage } from "./pageContext.ts";

export function SignOutButton(): ReactNode {
  const page = usePage();
  const [problem, setProblem] = useState<string>();
  const signOut = (): void => {
    page.signOut().catch((error: unknown) => setProblem(problemText(error)));
  };
  return (
    <>
      <Button tone="quiet" data-testid="sign-out" onClick={signOut}>
        Sign out
      </Button>
      {problem !== undefined && (
        <p role="alert" className="text-sm text-danger">
          Not signed out: {problem}
        </p>
      )}
    </>
  );
}
