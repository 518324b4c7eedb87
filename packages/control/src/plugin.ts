/**
 * The control centre as a plugin of the server.
 *
 * Loaded twice, by URL: on the main thread, for what it declares and for `start`; in the store's worker, for
 * handlers, hooks and tasks. That contract and handlers match one to one is proved by the types below: a
 * method without a handler, or a handler without a declaration, does not compile.
 */
import type { Audited, Method, Plugin, Principal } from "@holdfast/server/plugin";
import {
  type MethodDeclaration,
  type MethodName,
  type MethodParams,
  type MethodResult,
  methods,
  type ThreadSnapshot,
} from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { getAgent, removeAgent } from "./agentRemoval.ts";
import { listAgents } from "./agents.ts";
import { openAgUi } from "./agUi.ts";
import {
  anotherHost,
  changeAssistant,
  createAssistant,
  hostAssistants,
  listAssistants,
  listHosted,
  removeAssistant,
} from "./assistants.ts";
import { leadAssistants, leadFromAnother } from "./assistantsLead.ts";
import { cancelCommand, commandOfAnother, interruptCommand, retryCommand, sendCommand } from "./commands.ts";
import { isCurrentProcess, welcomeAgent } from "./enrolment.ts";
import { readHistory } from "./history.ts";
import { migrations } from "./migrations.ts";
import { beat, bury, reclaim } from "./nodeTasks.ts";
import { changePresence, readPresent } from "./presenceTasks.ts";
import { markRead } from "./reads.ts";
import { startRuntime } from "./runtime.ts";
import { families } from "./streams.ts";
import { readDue, sweep } from "./sweep.ts";
import type { ControlTransaction } from "./tables.ts";
import { resizeTerminal, writeTerminal } from "./terminals.ts";
import { archiveThread, threadOfAnother } from "./threadArchive.ts";
import { searchThread } from "./threadSearch.ts";
import { createThread, getThread, listThreads, renameThread } from "./threads.ts";

type Handlers = {
  readonly [Name in MethodName]: (
    tx: ControlTransaction,
    params: MethodParams<Name>,
    caller: Principal,
  ) => Promise<MethodResult<Name>>;
};

const handlers = {
  "agent.list": listAgents,
  "agent.get": getAgent,
  "agent.remove": removeAgent,
  "assistant.list": listAssistants,
  "assistant.create": createAssistant,
  "assistant.change": changeAssistant,
  "assistant.remove": removeAssistant,
  "assistant.host": hostAssistants,
  "assistant.lead": leadAssistants,
  "assistant.hosted": listHosted,
  "thread.list": listThreads,
  "thread.create": createThread,
  "command.send": sendCommand,
  "command.interrupt": interruptCommand,
  "command.cancel": cancelCommand,
  "command.retry": retryCommand,
  "thread.get": getThread,
  "thread.rename": renameThread,
  "thread.archive": archiveThread,
  "thread.search": searchThread,
  "thread.markRead": markRead,
  "thread.read": readHistory,
  "terminal.write": writeTerminal,
  "terminal.resize": resizeTerminal,
} as const satisfies Handlers;

/** Audited only where it is somebody else's. */
const concerned: Partial<Record<MethodName, NonNullable<Audited["concerns"]>>> = {
  "command.interrupt": commandOfAnother,
  "command.cancel": commandOfAnother,
  "command.retry": commandOfAnother,
  "thread.archive": threadOfAnother,
  "assistant.host": anotherHost,
  "assistant.lead": leadFromAnother,
};

export const plugin: Plugin = {
  name: "control",
  migrations,
  methods: {
    "agent.list": method("agent.list"),
    "agent.get": method("agent.get"),
    "agent.remove": method("agent.remove"),
    "assistant.list": method("assistant.list"),
    "assistant.create": method("assistant.create"),
    "assistant.change": method("assistant.change"),
    "assistant.remove": method("assistant.remove"),
    "assistant.host": method("assistant.host"),
    "assistant.lead": method("assistant.lead"),
    "assistant.hosted": method("assistant.hosted"),
    "thread.list": method("thread.list"),
    "thread.create": method("thread.create"),
    "command.send": method("command.send"),
    "command.interrupt": method("command.interrupt"),
    "command.cancel": method("command.cancel"),
    "command.retry": method("command.retry"),
    "thread.get": method("thread.get"),
    "thread.rename": method("thread.rename"),
    "thread.archive": method("thread.archive"),
    "thread.search": method("thread.search"),
    "thread.markRead": method("thread.markRead"),
    "thread.read": method("thread.read"),
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
  feeds: [
    {
      path: "threads/:id/ag-ui",
      stream: streams.thread,
      open: (snapshot) => openAgUi(snapshot as unknown as ThreadSnapshot),
    },
  ],
  agents: { hello: welcomeAgent, isCurrent: isCurrentProcess },
  start: startRuntime,
};

/** A declaration and its handler, as the server takes them. Agents call those only that say so. */
function method(name: MethodName): Method {
  const declared: MethodDeclaration = methods[name];
  const { audited, ...rest } = declared;
  const concerns = concerned[name];
  return {
    ...rest,
    handle: handlers[name],
    ...(audited && { audited: { ...audited, ...(concerns && { concerns }) } }),
  };
}
