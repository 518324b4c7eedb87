/**
 * The control centre as a plugin of the server.
 *
 * Loaded twice, by URL: on the main thread, for what it declares and for `start`; in the store's worker, for
 * handlers, hooks and tasks. That contract and handlers match one to one is proved by the types below: a
 * method without a handler, or a handler without a declaration, does not compile.
 */
import type { Method, Plugin, Principal } from "@holdfast/server/plugin";
import { type MethodName, type MethodParams, type MethodResult, methods } from "../contract/index.ts";
import { listAgents } from "./agents.ts";
import { sendCommand } from "./commands.ts";
import { welcomeAgent } from "./enrolment.ts";
import { migrations } from "./migrations.ts";
import { beat, bury, reclaim } from "./nodeTasks.ts";
import { changePresence, readPresent } from "./presenceTasks.ts";
import { startRuntime } from "./runtime.ts";
import { families } from "./streams.ts";
import { readDue, sweep } from "./sweep.ts";
import type { ControlTransaction } from "./tables.ts";
import { resizeTerminal, writeTerminal } from "./terminals.ts";
import { createThread, listThreads } from "./threads.ts";

type Handlers = {
  readonly [Name in MethodName]: (
    tx: ControlTransaction,
    params: MethodParams<Name>,
    caller: Principal,
  ) => Promise<MethodResult<Name>>;
};

const handlers = {
  "agent.list": listAgents,
  "thread.list": listThreads,
  "thread.create": createThread,
  "command.send": sendCommand,
  "terminal.write": writeTerminal,
  "terminal.resize": resizeTerminal,
} as const satisfies Handlers;

export const plugin: Plugin = {
  name: "control",
  migrations,
  methods: {
    "agent.list": method("agent.list"),
    "thread.list": method("thread.list"),
    "thread.create": method("thread.create"),
    "command.send": method("command.send"),
    "terminal.write": method("terminal.write"),
    "terminal.resize": method("terminal.resize"),
  } satisfies Record<MethodName, Method>,
  streams: families,
  tasks: {
    "control.present": readPresent,
    "control.presence": changePresence,
    "control.beat": beat,
    "control.bury": bury,
    "control.reclaim": reclaim,
    "control.due": readDue,
    "control.sweep": sweep,
  },
  agents: { hello: welcomeAgent },
  start: startRuntime,
};

/** A declaration and its handler, as the server takes them. Agents call none of these. */
function method(name: MethodName): Method {
  return { ...methods[name], handle: handlers[name] };
}
