/** A sign-in link that the server tells once: to copy, with until when it works. */
import { type ReactNode, useId, useState } from "react";
import { visibleText } from "../../shared/format/visibleText.ts";
import { copyText } from "../../shared/platform/clipboard.ts";
import { Button } from "../../shared/ui/Button.tsx";

export interface ToldLink {
  readonly user: string;
  readonly name: string;
  /** A path of the server. */
  readonly link: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

export function LinkOnce(props: ToldLink & { readonly onClose: () => void }): ReactNode {
  const [said, setSaid] = useState("");
  const id = useId();
  const address = new URL(props.link, window.location.origin).href;
  const copy = async (): Promise<void> =>
    setSaid((await copyText(address)) ? "Copied" : "The browser did not allow copying");
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2 rounded-md border border-line-strong p-3">
      <p id={id}>
        The link for <strong className="font-medium">{visibleText(props.name)}</strong> is shown this once. It works
        once, until {new Date(props.expiresAt).toLocaleString()}; who opens it is signed in as this person.
      </p>
      <input
        readOnly
        aria-label={`Sign-in link for ${visibleText(props.name)}`}
        data-testid="person-link"
        value={address}
        onFocus={(event) => event.target.select()}
        className="h-7 w-full rounded-md border border-line-strong bg-surface px-2 font-mono text-sm text-text"
      />
      <div className="flex flex-wrap items-center gap-3">
        <Button tone="accent" data-testid="person-link-copy" onClick={() => void copy()}>
          Copy link
        </Button>
        <Button data-testid="person-link-done" onClick={props.onClose}>
          Done
        </Button>
        <span aria-live="polite" className="text-muted">
          {said}
        </span>
      </div>
    </section>
  );
}
