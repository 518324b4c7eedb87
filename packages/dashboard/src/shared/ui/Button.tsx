/** The page's one button: plain or accent, small, at least 28 px high (WCAG 2.5.8 asks for 24). */
import type { ComponentProps, ReactNode } from "react";

type Tone = "plain" | "accent" | "quiet";

const tones: Record<Tone, string> = {
  plain: "border-line-strong bg-raised text-text hover:bg-hover",
  accent: "border-accent bg-accent text-on-accent hover:border-accent-hover hover:bg-accent-hover",
  quiet: "border-transparent bg-transparent text-muted hover:bg-hover hover:text-text",
};

export function Button({
  tone = "plain",
  className = "",
  ...rest
}: ComponentProps<"button"> & { readonly tone?: Tone }): ReactNode {
  return (
    <button
      type="button"
      className={`inline-flex h-7 min-w-7 shrink-0 items-center justify-center gap-1.5 rounded-md border px-2 text-sm whitespace-nowrap disabled:opacity-60 ${tones[tone]} ${className}`}
      {...rest}
    />
  );
}
