/** On a phone one panel is shown at a time: the way back, in words. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { BackIcon } from "../shared/ui/icons.tsx";

type BackLinkProps = { readonly label: string } & (
  | { readonly to: "/" }
  | { readonly to: "/agents/$agent"; readonly agent: string }
);

export function BackLink(props: BackLinkProps): ReactNode {
  const className =
    "-ml-1 inline-flex h-7 items-center gap-1 rounded-md px-1 text-sm text-accent hover:bg-hover md:hidden";
  const content = (
    <>
      <BackIcon />
      {props.label}
    </>
  );
  if (props.to === "/") {
    return (
      <Link to="/" className={className}>
        {content}
      </Link>
    );
  }
  return (
    <Link to="/agents/$agent" params={{ agent: props.agent }} className={className}>
      {content}
    </Link>
  );
}
