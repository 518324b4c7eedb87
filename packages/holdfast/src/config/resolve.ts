/**
 * Lays the configuration's layers over each other: defaults < file < environment < flags.
 *
 * Pure: arguments, environment and the reading of files are passed in. The file is `<data>/config.json`, and
 * may be missing there, or what `--config` names, and then must exist. Every wrong value, name or combination
 * is one sentence that names it and says what to do. Invariant: a returned configuration is complete and
 * usable, and `sources` tells for each leaf which layer it came from. It deliberately touches no folder:
 * whether the data folder can be used is the store's to say.
 */
import { join, resolve } from "node:path";
import { type Flags, type FlagTable, quoted, readFlags } from "../commandLine/flags.ts";
import { type Config, environmentName, type Field, fields, linksSignIn } from "./fields.ts";
import { lackingIdentity } from "./identityFields.ts";
import { flatten, isTree, toTree } from "./tree.ts";

export interface ConfigInput {
  /** Without program and command name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the command is run: relative paths count from here. */
  readonly directory: string;
  /** The text of a file, undefined where there is none. Throws what the system says otherwise. */
  readonly readFile: (path: string) => string | undefined;
}

export type Source =
  | { readonly layer: "default" }
  | { readonly layer: "file"; readonly path: string }
  | { readonly layer: "environment"; readonly name: string }
  | { readonly layer: "flag"; readonly name: string };

export type Resolved =
  | {
      readonly config: Config;
      readonly sources: ReadonlyMap<string, Source>;
      /** Only show the tree, then end. */
      readonly printConfig: boolean;
      /** `HOLDFAST_…` variables that no setting reads: told, since a misspelt one is silent otherwise. */
      readonly unknownEnvironment: readonly string[];
    }
  | { readonly problem: string };

/** Settings that are paths: relative ones count from where the command is run. */
const files: ReadonlySet<string> = new Set(["data", "tls.cert", "tls.key"]);

/** What other commands read of the same prefix. */
const otherEnvironment: ReadonlySet<string> = new Set(["HOLDFAST_KEY"]);

export const flagTable: FlagTable = {
  ...Object.fromEntries(
    fields.flatMap((one) =>
      one.flag === undefined ? [] : [[one.flag, one.flagIsSwitch ? "switch" : "value"] as const],
    ),
  ),
  config: "value",
  "print-config": "switch",
};

/** The effective configuration, or the one sentence why there is none. */
export function resolveConfig(input: ConfigInput): Resolved {
  const flags = readFlags(input.argv, flagTable);
  if (flags.kind === "problem") return { problem: flags.sentence };
  const word = flags.words[0] ?? flags.command?.[0];
  if (word !== undefined)
    return { problem: `${quoted(word)} is not expected here; pass settings as flags, for example --port 4400.` };
  try {
    return layered(input, flags);
  } catch (error) {
    if (error instanceof WrongSetting) return { problem: error.message };
    throw error;
  }
}

/** The log's settings alone, for commands that have no tree: default < environment. */
export function logSettings(
  environment: ConfigInput["environment"],
): { readonly settings: Config["log"] } | { readonly problem: string } {
  try {
    const flat = fields
      .filter((one) => one.path.startsWith("log."))
      .map((one) => [one.path, fromEnvironment(one, environment)?.value ?? one.default] as const);
    return { settings: (toTree(flat) as unknown as Pick<Config, "log">).log };
  } catch (error) {
    if (error instanceof WrongSetting) return { problem: error.message };
    throw error;
  }
}

/** Ends the layering with its sentence; never leaves this file. */
class WrongSetting extends Error {}

interface Setting {
  readonly value: unknown;
  readonly source: Source;
}

function layered(input: ConfigInput, flags: Flags & { kind: "flags" }): Resolved {
  const settings = new Map<string, Setting>();
  for (const one of fields) settings.set(one.path, { value: one.default, source: { layer: "default" } });
  const above = new Map<string, Setting>();
  for (const one of fields) {
    const setting = fromFlag(one, flags) ?? fromEnvironment(one, input.environment);
    if (setting !== undefined) above.set(one.path, setting);
  }
  const data = String((above.get("data") ?? settings.get("data"))?.value);
  for (const [path, setting] of fromFile(input, flags.values.get("config"), data)) settings.set(path, setting);
  for (const [path, setting] of above) settings.set(path, setting);

  const flat = [...settings].map(
    ([path, { value }]) =>
      [path, files.has(path) && value !== null ? resolve(input.directory, String(value)) : value] as const,
  );
  const config = toTree(flat) as unknown as Config;
  if (config.mode === "development" && input.environment["NODE_ENV"] === "production") {
    // AU-6
    throw new WrongSetting(
      "mode is development while NODE_ENV is production; use --mode local, or unset NODE_ENV where this is no production machine.",
    );
  }
  if (
    config.mode === "production" &&
    config.database.url === null &&
    settings.get("data")?.source.layer === "default"
  ) {
    // F79: a folder wherever the command happened to be run is no place for what people keep.
    throw new WrongSetting(
      "mode is production, and no store is named: give --database-url for PostgreSQL, or --data <folder> for the embedded store.",
    );
  }
  if (config.printSignIn && !linksSignIn(config))
    throw new WrongSetting(
      "printSignIn asks for a link, but links sign nobody in here; set signIn.links to true, or leave --print-sign-in out.",
    );
  if ((config.tls.cert === null) !== (config.tls.key === null)) {
    const [there, missing] = config.tls.cert === null ? ["key", "cert"] : ["cert", "key"];
    throw new WrongSetting(`tls.${there} is given without tls.${missing}; pass both --tls-cert and --tls-key.`);
  }
  const lacking = lackingIdentity(config.signIn);
  if (lacking !== undefined)
    throw new WrongSetting(
      `signIn.${lacking.there} is given without signIn.${lacking.missing}; set both, or neither (${environmentName(`signIn.${lacking.missing}`)}).`,
    );
  return {
    config,
    sources: new Map([...settings].map(([path, { source }]) => [path, source])),
    printConfig: flags.switches.has("print-config"),
    unknownEnvironment: unknownEnvironment(input.environment),
  };
}

function fromFlag(one: Field, flags: Flags & { kind: "flags" }): Setting | undefined {
  if (one.flag === undefined) return undefined;
  const source = { layer: "flag", name: `--${one.flag}` } as const;
  if (one.flagIsSwitch) return flags.switches.has(one.flag) ? { value: true, source } : undefined;
  const text = flags.values.get(one.flag);
  return text === undefined ? undefined : { value: judged(one, one.kind.fromText(text), source.name, text), source };
}

/** An empty variable counts as unset: compose files and CI pass them so. */
function fromEnvironment(one: Field, environment: ConfigInput["environment"]): Setting | undefined {
  for (const name of [environmentName(one.path), one.commonVariable]) {
    const text = name === undefined ? undefined : environment[name];
    if (name === undefined || text === undefined || text === "") continue;
    return { value: judged(one, one.kind.fromText(text), name, text), source: { layer: "environment", name } };
  }
  return undefined;
}

function fromFile(input: ConfigInput, named: string | undefined, data: string): ReadonlyMap<string, Setting> {
  const path = resolve(input.directory, named ?? join(data, "config.json"));
  const text = readText(input, path, named);
  if (text === undefined) return new Map();
  const document = parsed(text, path);
  const { flat, unknown, notTrees } = flatten(document, new Set(fields.map((one) => one.path)));
  if (unknown[0] !== undefined) {
    const known = fields.map((one) => one.path).join(", ");
    throw new WrongSetting(
      `${path} sets ${quoted(unknown[0])}, which is no setting; remove it, or use one of ${known}.`,
    );
  }
  if (notTrees[0] !== undefined) {
    throw new WrongSetting(
      `${path} gives ${notTrees[0]} a plain value, but it is a group of settings; write it as an object.`,
    );
  }
  if (named === undefined && flat.has("data")) {
    throw new WrongSetting(
      `${path} sets "data", but is itself found in the data folder; remove it there, and use --data or HOLDFAST_DATA.`,
    );
  }
  return new Map(
    fields.flatMap((one) => {
      if (!flat.has(one.path)) return [];
      const raw = flat.get(one.path);
      const setting: Setting = {
        value: judged(one, one.kind.fromJson(raw), `${one.path} in ${path}`, raw),
        source: { layer: "file", path },
      };
      return [[one.path, setting] as const];
    }),
  );
}

function readText(input: ConfigInput, path: string, named: string | undefined): string | undefined {
  let text: string | undefined;
  try {
    text = input.readFile(path);
  } catch (error) {
    throw new WrongSetting(`${path} cannot be read (${reason(error)}); make it a readable file.`);
  }
  if (text === undefined && named !== undefined)
    throw new WrongSetting(`--config names ${quoted(named)}, which does not exist; create it, or leave the flag out.`);
  return text;
}

function parsed(text: string, path: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new WrongSetting(`${path} is not JSON (${reason(error)}); correct it, or remove the file.`);
  }
  if (!isTree(document)) throw new WrongSetting(`${path} must hold one JSON object; correct it, or remove the file.`);
  return document;
}

function judged(
  { secret }: Field,
  verdict: { value: unknown } | { expected: string },
  name: string,
  raw: unknown,
): unknown {
  if ("value" in verdict) return verdict.value;
  throw new WrongSetting(
    secret
      ? `${name}, which is not shown, must be ${verdict.expected}.`
      : `${name} is ${quoted(raw)}, but must be ${verdict.expected}.`,
  );
}

/** The system's or the parser's words on one line, whatever the file holds. */
function reason(error: unknown): string {
  return quoted(error instanceof Error ? error.message : String(error)).slice(1, -1);
}

function unknownEnvironment(environment: ConfigInput["environment"]): readonly string[] {
  const known = new Set(fields.map((one) => environmentName(one.path)));
  return Object.keys(environment).filter(
    (name) => name.startsWith("HOLDFAST_") && !known.has(name) && !otherEnvironment.has(name),
  );
}
