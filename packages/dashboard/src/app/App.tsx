/** What is shown at each stage of the page's life. */
import { HoldfastProvider } from "@holdfast/react";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { SignInPage } from "../features/sign-in/SignInPage.tsx";
import { LiveData } from "../shared/data/LiveData.tsx";
import { Button } from "../shared/ui/Button.tsx";
import { Trouble } from "../shared/ui/Trouble.tsx";
import { PageContext } from "./pageContext.ts";
import type { PageSession } from "./pageSession.ts";
import { router } from "./router.tsx";

export function App({ page }: { readonly page: PageSession }): ReactNode {
  const state = useSyncExternalStore(page.onChange, page.state);
  switch (state.kind) {
    case "opening":
      return (
        <main className="grid h-full place-items-center text-muted">
          <p role="status">Opening Holdfast …</p>
        </main>
      );
    case "signedOut":
      return (
        <>
          <title>Sign in – Holdfast</title>
          <SignInPage problem={state.problem} ways={state.ways} doors={page} />
        </>
      );
    case "unreachable":
      return <Unreachable problem={state.problem} onAgain={() => void page.start(undefined)} />;
    case "open":
      return (
        <Trouble what="The page could not be shown">
          <HoldfastProvider key={state.identity} session={state.session}>
            <LiveData session={state.session} ledger={state.ledger} about={state.about}>
              <PageContext value={page}>
                <RouterProvider router={router} />
              </PageContext>
            </LiveData>
          </HoldfastProvider>
        </Trouble>
      );
  }
}

function Unreachable({ problem, onAgain }: { readonly problem: string; readonly onAgain: () => void }): ReactNode {
  useEffect(() => {
    window.addEventListener("online", onAgain);
    return () => window.removeEventListener("online", onAgain);
  }, [onAgain]);
  return (
    <main className="grid h-full place-items-center p-4">
      <div role="alert" className="flex max-w-md flex-col items-start gap-3">
        <h1 className="text-xl font-semibold">Holdfast</h1>
        <p>{problem}</p>
        <p className="text-muted">Is the server running? On its machine: npm start.</p>
        <Button tone="accent" onClick={onAgain}>
          Try again
        </Button>
      </div>
    </main>
  );
}
