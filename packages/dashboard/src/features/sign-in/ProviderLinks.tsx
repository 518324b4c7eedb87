/** The other doors: a link to each provider's own page, which sends the browser back to where it was. */
import { type ReactNode, useId } from "react";
import type { ProviderLink } from "../../shared/http/signIn.ts";

export function ProviderLinks(props: {
  readonly providers: readonly ProviderLink[];
  /** The page to open afterwards. */
  readonly returnTo: string;
}): ReactNode {
  const id = useId();
  if (props.providers.length === 0) return null;
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2">
      <h2 id={id} className="sr-only">
        Sign in elsewhere
      </h2>
      {props.providers.map(({ name, start }) => (
        <a
          key={start}
          href={`${start}?return=${encodeURIComponent(props.returnTo)}`}
          data-testid="sign-in-provider"
          className="flex h-9 items-center justify-center rounded-md border border-line-strong bg-raised px-4 font-medium hover:bg-hover"
        >
          Sign in with {name}
        </a>
      ))}
    </section>
  );
}
