/** The stream families of the control domain: who reads, who publishes, what a snapshot holds. */
import type { Principal, StreamFamily } from "@holdfast/server/plugin";
import type {
  AssistantsSnapshot,
  FleetSnapshot,
  ReadsSnapshot,
  ThreadSnapshot,
  ThreadsSnapshot,
} from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { readFleet } from "./agents.ts";
import { readAssistants } from "./assistants.ts";
import { scopeOfEvent } from "./grammar.ts";
import { publishToThread } from "./publishing.ts";
import { isInboxOpen } from "./queue.ts";
import { readMarks } from "./reads.ts";
import { threadRollUp } from "./rollUp.ts";
import { isThreadOpen, readThread } from "./threadSnapshot.ts";
import { readThreads } from "./threads.ts";

const isPerson = (principal: Principal): boolean => principal.kind === "person";

export const families: readonly StreamFamily[] = [
  {
    name: streams.fleet,
    always: true,
    inbox: false,
    mayRead: isPerson,
    // An agent tells its health.
    maySignal: (principal) => principal.kind === "agent",
    snapshot: async (tx) => ({ agents: await readFleet(tx) }) satisfies FleetSnapshot,
    lifetime: "records",
  },
  {
    name: streams.threads,
    always: true,
    inbox: false,
    mayRead: isPerson,
    snapshot: async (tx) => ({ threads: await readThreads(tx) }) satisfies ThreadsSnapshot,
    lifetime: "records",
  },
  {
    name: streams.reads(""),
    // Nobody has to have read anything to follow it.
    always: true,
    inbox: false,
    mayRead: (principal, stream) => isPerson(principal) && stream === streams.reads(principal.id),
    snapshot: async (tx, stream) => ({ ...(await readMarks(tx, stream)) }) satisfies ReadsSnapshot,
    lifetime: "records",
  },
  {
    name: streams.assistants,
    always: true,
    inbox: false,
    mayRead: (principal) => isPerson(principal) && principal.role === "admin",
    snapshot: async (tx) => ({ assistants: await readAssistants(tx) }) satisfies AssistantsSnapshot,
    lifetime: "records",
  },
  {
    name: streams.thread(""),
    always: false,
    inbox: false,
    mayRead: isPerson,
    // An agent tells that it is writing.
    maySignal: (principal) => principal.kind === "agent",
    snapshot: async (tx, stream) => ({ ...(await readThread(tx, stream)) }) satisfies ThreadSnapshot,
    rollUp: threadRollUp,
    lifetime: "work",
    scopeOf: scopeOfEvent,
    isOpen: isThreadOpen,
    publish: publishToThread,
  },
  {
    name: streams.inbox(""),
    always: false,
    inbox: true,
    isOpen: isInboxOpen,
    // Nobody else, whatever their role: an inbox holds what was meant for one agent.
    mayRead: (principal, stream) => principal.kind === "agent" && stream === streams.inbox(principal.id),
  },
];
