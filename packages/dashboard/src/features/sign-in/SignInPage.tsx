/** What is shown to nobody in particular: the name of the place, and its doors. */
import type { ReactNode } from "react";
import type { SignInWays } from "../../shared/http/signIn.ts";
import type { Doors } from "./doors.ts";
import { SignInDoors } from "./SignInDoors.tsx";

export function SignInPage(props: {
  readonly problem: string | undefined;
  readonly ways: SignInWays;
  readonly doors: Doors;
}): ReactNode {
  return (
    <main className="grid h-full place-items-center overflow-auto p-4">
      <div className="w-full max-w-sm rounded-lg border border-line bg-raised p-6">
        <h1 className="mb-1 text-xl font-semibold">Holdfast</h1>
        <p className="mb-5 text-muted">Sign in to see and steer your agents.</p>
        <SignInDoors problem={props.problem} ways={props.ways} doors={props.doors} />
      </div>
    </main>
  );
}
