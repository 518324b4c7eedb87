/**
 * What a step of `holdfast doctor` found, and how it is said: one line, the step first.
 *
 * Invariant: a line has no control character, no key, and at most {@link lineCharactersMax} characters, whatever an
 * answer from the network brought with it.
 */
import { unreachable } from "@holdfast/protocol";
import { printable } from "./printable.ts";

export type Step = "name" | "tcp" | "tls" | "http" | "upgrade" | "hello" | "subscribe" | "round trip" | "delivery";

export type Finding =
  | { readonly kind: "sound"; readonly says: string }
  /** Something is wrong, and the way goes on. */
  | { readonly kind: "doubtful"; readonly says: string; readonly advice: string }
  /** The way ends here. */
  | { readonly kind: "wrong"; readonly says: string; readonly advice: string };

export const lineCharactersMax = 1_000;
const stepCharacters = 11;

export function sound(says: string): Finding {
  return { kind: "sound", says };
}

/** `says`: what is wrong; `advice`: what to do. Neither ends in a full stop. */
export function wrong(says: string, advice: string): Finding {
  return { kind: "wrong", says, advice };
}

export function doubtful(says: string, advice: string): Finding {
  return { kind: "doubtful", says, advice };
}

/** The finding as a line, with line end. `secret` stands nowhere in it. */
export function lineOf(step: Step, finding: Finding, secret: string | undefined): string {
  return `${printable(`${step.padEnd(stepCharacters)}${textOf(finding)}`, lineCharactersMax, secret)}\n`;
}

function textOf(finding: Finding): string {
  switch (finding.kind) {
    case "sound":
      return `ok     ${finding.says}`;
    case "doubtful":
    case "wrong":
      return `wrong  ${finding.says}; ${finding.advice}.`;
    default:
      return unreachable(finding);
  }
}
