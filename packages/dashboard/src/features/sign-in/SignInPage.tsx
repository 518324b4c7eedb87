/** What is shown to nobody in particular: the name of the place, and a door. */
import type { ReactNode } from "react";
import type { ProviderLink } from "../../shared/http/signIn.ts";
import { ProviderLinks } from "./ProviderLinks.tsx";
import { SignInForm } from "./SignInForm.tsx";

export function SignInPage(props: {
  readonly problem: string | undefined;
  readonly providers: readonly ProviderLink[];
  readonly onCode: (code: string) => Promise<string | undefined>;
}): ReactNode {
  return (
    <main className="grid h-full place-items-center overflow-auto p-4">
      <div className="w-full max-w-sm rounded-lg border border-line bg-raised p-6">
        <h1 className="mb-1 text-xl font-semibold">Holdfast</h1>
        <p className="mb-5 text-muted">Sign in to see and steer your agents.</p>
        <ProviderLinks providers={props.providers} returnTo={window.location.pathname} />
        <SignInForm problem={props.problem} onCode={props.onCode} />
      </div>
    </main>
  );
}
