/**
 * A file of flags in flagd's format, read whole or refused whole: https://flagd.dev/reference/flag-definitions.
 *
 * flagd's own reader takes what it can of a file and says the rest to a logger; here a file that is wrong anywhere is
 * refused, in a sentence that names the place, so that a slip of the pen never turns a flag off. Pure.
 */
import { FlagdCore } from "@openfeature/flagd-core";
import { z } from "zod";
import { defaultFeatures } from "./features.ts";

const flag = z.object({
  state: z.enum(["ENABLED", "DISABLED"]),
  variants: z.record(z.string(), z.json()),
  defaultVariant: z.string().nullish(),
  targeting: z.record(z.string(), z.json()).optional(),
});
const definitions = z.object({
  flags: z.record(z.string(), flag),
  $evaluators: z.record(z.string(), z.json()).optional(),
});

/** Ready to be asked. Throws an error whose message names what is wrong. */
export function readFlagDefinitions(text: string): FlagdCore {
  const parsed = definitions.safeParse(jsonOf(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`"${issue?.path.join(".")}": ${issue?.message}`);
  }
  for (const name of Object.keys(defaultFeatures)) requireBooleans(name, parsed.data.flags[name]?.variants ?? {});
  const said: string[] = [];
  const say = (...words: unknown[]): void => void said.push(words.map(String).join(" "));
  const logger = { error: say, warn: say, info: () => {}, debug: () => {} };
  // Nothing of the file becomes code.
  const core = new FlagdCore(undefined, logger, { disableDynamicCodeGeneration: true });
  core.setConfigurations(text);
  if (said[0] !== undefined) throw new Error(said[0]);
  return core;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error("it is no JSON", { cause: error });
  }
}

function requireBooleans(name: string, variants: Readonly<Record<string, unknown>>): void {
  for (const [variant, value] of Object.entries(variants))
    if (typeof value !== "boolean")
      throw new Error(`"flags.${name}.variants.${variant}" is ${JSON.stringify(value)}: give true or false`);
}
