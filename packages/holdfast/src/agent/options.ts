/**
 * What `holdfast agent` is asked to run, from flags, environment and platform. Pure.
 */
import { isAbsolute, join, resolve } from "node:path";
import { limits } from "@holdfast/protocol";
import { quoted, readFlags } from "../commandLine/flags.ts";
import { choice, type Kind } from "../config/values.ts";

export const agentFlags = {
  name: "value",
  server: "value",
  key: "value",
  cwd: "value",
  "keep-env": "switch",
  state: "value",
  kind: "value",
} as const;

/** `demo` is the scripted agent, `custom` on the wire. */
export type AgentPart = "shell" | "terminal" | "demo";

export interface AgentSettings {
  readonly name: string;
  readonly part: AgentPart;
  readonly command: readonly string[] | undefined;
  /** Where the server is: its URL, or the `server.json` of its data folder. */
  readonly server: { readonly url: string } | { readonly file: string };
  /** From flag or environment; the state folder's is read later. */
  readonly key: string | undefined;
  readonly cwd: string;
  readonly keepEnv: boolean;
  readonly state: string;
}

export interface AgentInput {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly hostname: string;
}

const defaultServer = "http://127.0.0.1:4400";
const parts: Kind<AgentPart> = choice(["shell", "terminal", "demo"]);

/** The settings, or one sentence why there are none. */
export function agentSettings(input: AgentInput): AgentSettings | { readonly problem: string } {
  const flags = readFlags(input.argv, agentFlags);
  if (flags.kind === "problem") return { problem: flags.sentence };
  if (flags.words[0] !== undefined) {
    return {
      problem: `${quoted(flags.words[0])} is not expected here; put the command to run behind --, as in holdfast agent -- bash.`,
    };
  }
  if (flags.command?.length === 0)
    return { problem: "There is no command behind --; name one, as in holdfast agent -- bash." };
  const { command } = flags;

  const kind = flags.values.get("kind");
  const judged =
    kind === undefined ? ({ value: command === undefined ? "shell" : "terminal" } as const) : parts.fromText(kind);
  if ("expected" in judged) return { problem: `--kind is ${quoted(kind)}, but must be ${judged.expected}.` };
  const part = judged.value;
  if (part === "terminal" && command === undefined)
    return { problem: "--kind terminal needs a program; name it behind --, as in holdfast agent -- bash." };
  if (part !== "terminal" && command !== undefined) {
    return {
      problem: `--kind ${part} runs no program of its own, but ${quoted(command[0])} was given; leave out --kind or the program.`,
    };
  }

  const name = flags.values.get("name") ?? input.hostname;
  if (name.trim() === "" || name.length > limits.nameLengthMax || /\p{Cc}/u.test(name)) {
    return { problem: `--name is ${quoted(name)}, but must be 1 to ${limits.nameLengthMax} visible characters.` };
  }
  const server = serverOf(flags.values.get("server") ?? defaultServer, input.directory);
  if ("problem" in server) return server;
  const key = flags.values.get("key") ?? input.environment["HOLDFAST_KEY"];
  return {
    name,
    part,
    command,
    server,
    key: key === undefined || key.trim() === "" ? undefined : key.trim(),
    cwd: resolve(input.directory, flags.values.get("cwd") ?? "."),
    keepEnv: flags.switches.has("keep-env"),
    state: resolve(input.directory, flags.values.get("state") ?? join(statesFolder(input), folderName(name))),
  };
}

function serverOf(text: string, directory: string): AgentSettings["server"] | { readonly problem: string } {
  if (/^https?:\/\//i.test(text)) {
    return URL.canParse(text)
      ? { url: text.replace(/\/+$/, "") }
      : { problem: `--server is ${quoted(text)}, which is no URL; pass one like ${defaultServer}.` };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return {
      problem: `--server is ${quoted(text)}, but must begin with http:// or https://, or name a server.json file.`,
    };
  }
  return { file: isAbsolute(text) ? text : resolve(directory, text) };
}

/** Any name as one folder's name; dots alone would be a way out. */
function folderName(name: string): string {
  return /^\.+$/.test(name) ? name.replaceAll(".", "%2E") : encodeURIComponent(name);
}

/** Where the platform's programs keep state of their own. */
function statesFolder({ environment, platform, home }: AgentInput): string {
  const named = environment["XDG_STATE_HOME"];
  if (named !== undefined && isAbsolute(named)) return join(named, "holdfast", "agents");
  if (platform === "darwin") return join(home, "Library", "Application Support", "holdfast", "agents");
  return join(home, ".local", "state", "holdfast", "agents");
}
