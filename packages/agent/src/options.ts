/** What an agent is started with, checked once. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { AgentLog } from "./log.ts";
import { AgentStartError } from "./state/startError.ts";

export interface AgentOptions {
  /** http(s) URL of the server; the WebSocket's is derived. A function is asked before each attempt. */
  readonly server: string | (() => string);
  /** API key (`hfk_…`); absent: no credential (development mode). */
  readonly key?: string;
  readonly name: string;
  /** `custom` is the scripted demo agent. */
  readonly kind: "shell" | "terminal" | "custom" | "assistant";
  /** Kind `terminal`: the program and its arguments. Absent for the others. */
  readonly command?: readonly string[];
  /** Where commands run: an existing folder. */
  readonly cwd: string;
  /** The agent's own folder, made with mode 0700. One process per folder. */
  readonly state: string;
  /** Whether children get the whole environment, secrets included. */
  readonly keepEnv: boolean;
  readonly log: AgentLog;
}

/** Of an agent that executes on this machine; assistants are made by `assistant/assistants.ts`. */
export type MachineAgentOptions = AgentOptions & { readonly kind: Exclude<AgentOptions["kind"], "assistant"> };

/** Throws an {@link AgentStartError} `bad_option` that names what is wrong. */
export function checkOptions(options: AgentOptions): void {
  const { kind, command, name, cwd } = options;
  if (name.trim() === "" || name.length > 100) throw bad(`The agent's name "${name}" must have 1 to 100 characters.`);
  if (kind === "terminal" && (command ?? []).length === 0) {
    throw bad("An agent of kind `terminal` needs the program that it runs: give it after `--`.");
  }
  if (kind !== "terminal" && command !== undefined) {
    throw bad(`An agent of kind \`${kind}\` runs no program of its own: leave out \`${command.join(" ")}\`.`);
  }
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw bad(`The working folder ${resolve(cwd)} does not exist: give an existing one.`);
  }
  if (typeof options.server === "string") socketUrl(options.server);
}

/** `http(s)://host[:port]` → `ws(s)://host[:port]/ws`. Throws where it is neither http nor https. */
export function socketUrl(server: string): string {
  const url = URL.parse(server);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw bad(`The server's address "${server}" must be an http or https URL, for example http://127.0.0.1:4400.`);
  }
  return `${url.protocol === "https:" ? "wss" : "ws"}://${url.host}/ws`;
}

function bad(message: string): AgentStartError {
  return new AgentStartError("bad_option", message);
}
