/** All ways in that this server has, and none that it has not: password, providers, a code. */
import { type ReactNode, useId } from "react";
import type { SignInWays } from "../../shared/http/signIn.ts";
import type { Doors } from "./doors.ts";
import { PasswordForm } from "./PasswordForm.tsx";
import { ProviderLinks } from "./ProviderLinks.tsx";
import { SignInForm } from "./SignInForm.tsx";

export function SignInDoors(props: {
  readonly ways: SignInWays;
  readonly doors: Doors;
  /** What went wrong before this was shown. */
  readonly problem?: string | undefined;
}): ReactNode {
  const { ways, doors } = props;
  const { providers = [], links = false, passwords = false } = ways;
  const id = useId();
  const hasNone = providers.length === 0 && !links && !passwords;
  return (
    <div className="flex flex-col gap-4 divide-y divide-line *:not-last:pb-4">
      {!links && props.problem !== undefined && (
        <p id={id} role="alert" data-testid="sign-in-error" className="text-danger">
          {props.problem}
        </p>
      )}
      {passwords && <PasswordForm doors={doors} returnTo={window.location.pathname} />}
      <ProviderLinks providers={providers} returnTo={window.location.pathname} />
      {links && <SignInForm problem={props.problem} onCode={(code) => doors.signIn(code)} />}
      {hasNone && <p>No way to sign in is set up here. Whoever runs this server names one in its settings.</p>}
    </div>
  );
}
