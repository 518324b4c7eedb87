/** The stream families of the control domain: who reads, who publishes, what a snapshot holds. */
import type { Principal, StreamFamily } from "@holdfast/server/plugin";
import type { FleetSnapshot, ThreadSnapshot, ThreadsSnapshot } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { readFleet } from "./agents.ts";
import { scopeOfEvent } from "./grammar.ts";
import { publishToThread } from "./publishing.ts";
import { isInboxOpen } from "./queue.ts";
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
    name: streams.thread(""),
    always: false,
    inbox: false,
    mayRead: isPerson,
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
