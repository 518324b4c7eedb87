/** E-mail and password, or a link in an e-mail. What is typed leaves this form only to the server. */
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import type { Doors } from "./doors.ts";

const field = "h-9 rounded-md border border-line-strong bg-surface px-3 text-text";

export function PasswordForm(props: {
  readonly doors: Pick<Doors, "signInBy" | "sendLink">;
  /** The page that a link opens. */
  readonly returnTo: string;
}): ReactNode {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [sentTo, setSentTo] = useState<string>();
  const id = useId();
  const run = async (work: () => Promise<string | undefined>): Promise<boolean> => {
    setBusy(true);
    setSentTo(undefined);
    const failed = await work();
    setBusy(false);
    setProblem(failed);
    return failed === undefined;
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void run(() => props.doors.signInBy(email.trim(), password)).then(() => setPassword(""));
  };
  const sendLink = async (): Promise<void> => {
    const to = email.trim();
    if (!to.includes("@")) setProblem("Type your e-mail address first.");
    else if (await run(() => props.doors.sendLink(to, props.returnTo))) setSentTo(to);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <label htmlFor={`${id}-email`} className="font-medium">
        E-mail address
      </label>
      <input
        id={`${id}-email`}
        data-testid="sign-in-email"
        type="email"
        required
        autoComplete="username"
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        className={field}
      />
      <label htmlFor={`${id}-password`} className="font-medium">
        Password
      </label>
      <input
        id={`${id}-password`}
        data-testid="sign-in-password"
        type="password"
        required
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        aria-describedby={`${id}-problem`}
        className={field}
      />
      <p
        id={`${id}-problem`}
        role="alert"
        data-testid={problem === undefined ? undefined : "password-error"}
        className="text-danger empty:hidden"
      >
        {problem}
      </p>
      <button
        type="submit"
        data-testid="sign-in-by-password"
        disabled={isBusy}
        className="h-9 rounded-md bg-accent px-4 font-medium text-on-accent hover:bg-accent-hover disabled:opacity-60"
      >
        Sign in
      </button>
      <Button className="h-9" data-testid="sign-in-send-link" disabled={isBusy} onClick={() => void sendLink()}>
        Send me a link instead
      </Button>
      <p aria-live="polite" data-testid="sign-in-sent" className="text-sm text-muted empty:hidden">
        {sentTo !== undefined &&
          `If ${sentTo} is known here, a link is on its way to it. Open it in this browser; it works once.`}
      </p>
    </form>
  );
}
