/** A form for a one-time code, or the whole link that holds one. */
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { codeIn } from "../../shared/http/signIn.ts";

export function SignInForm(props: {
  /** What went wrong before the form was shown. */
  readonly problem?: string | undefined;
  /** Resolves with what went wrong, or undefined where it worked. */
  readonly onCode: (code: string) => Promise<string | undefined>;
}): ReactNode {
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState(props.problem);
  const id = useId();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const code = codeIn(typed);
    if (code === undefined) {
      setProblem(
        typed.trim() === ""
          ? "Paste a sign-in code or link first."
          : "This is not a sign-in code: paste the code, or the whole link with its part after #.",
      );
      return;
    }
    setBusy(true);
    const result = await props.onCode(code);
    setBusy(false);
    setProblem(result);
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
      <label htmlFor={id} className="font-medium">
        Sign-in code or link
      </label>
      <input
        id={id}
        data-testid="sign-in-code"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        className="h-9 rounded-md border border-line-strong bg-surface px-3 font-mono text-text"
      />
      <p
        id={`${id}-problem`}
        role="alert"
        data-testid={problem === undefined ? undefined : "sign-in-error"}
        className="text-danger empty:hidden"
      >
        {problem}
      </p>
      <button
        type="submit"
        data-testid="sign-in-submit"
        disabled={isBusy}
        className="h-9 rounded-md bg-accent px-4 font-medium text-on-accent hover:bg-accent-hover disabled:opacity-60"
      >
        {isBusy ? "Signing in …" : "Sign in"}
      </button>
      <p className="text-sm text-muted">
        The server prints a link when it starts. For another one, run{" "}
        <code className="rounded-sm bg-hover px-1 font-mono text-text">npm run sign-in</code> on its machine. A link
        works once, for 10 minutes.
      </p>
    </form>
  );
}
