/**
 * Terminals from a person's side: bytes and sizes on their way to the agent.
 *
 * Both travel through the inbox, in order, and name the generation that they are for: a process that takes
 * over later never types what was meant for the one before (OP-8). Nothing is queued for an agent that is
 * away: keys pressed into the dark are refused.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { InboxEventData, MethodParams } from "../contract/index.ts";
import { streams, terminalOf } from "../contract/names.ts";
import { requireAgent } from "./agents.ts";
import type { ControlTransaction } from "./tables.ts";
import { requireOnline, requireThread } from "./threads.ts";

/** `terminal.write` */
export async function writeTerminal(
  tx: ControlTransaction,
  params: MethodParams<"terminal.write">,
): Promise<Record<string, never>> {
  const target = await targetOf(tx, params);
  const data = { ...target.to, data: params.data } satisfies InboxEventData["terminal.input"];
  tx.append(target.inbox, { event: "terminal.input", data });
  return {};
}

/** `terminal.resize` */
export async function resizeTerminal(
  tx: ControlTransaction,
  params: MethodParams<"terminal.resize">,
): Promise<Record<string, never>> {
  const target = await targetOf(tx, params);
  const data = { ...target.to, cols: params.cols, rows: params.rows } satisfies InboxEventData["terminal.resized"];
  tx.append(target.inbox, { event: "terminal.resized", data });
  return {};
}

interface Target {
  readonly inbox: string;
  readonly to: { readonly thread: string; readonly terminal: string; readonly generation: number };
}

/** Throws `not_found`, `conflict` for a closed terminal, `agent_offline`. */
async function targetOf(
  tx: ControlTransaction,
  params: { readonly thread: string; readonly terminal: string },
): Promise<Target> {
  const thread = await requireThread(tx, params.thread);
  const about = { type: "terminal", id: params.terminal };
  if (params.terminal !== terminalOf(thread.id)) {
    throw new ProtocolError("not_found", `thread "${thread.id}" has no terminal "${params.terminal}"`, { about });
  }
  if (thread.terminal === "closed") {
    throw new ProtocolError("conflict", `terminal "${params.terminal}" is closed; open a new one`, {
      about,
      details: { reason: "closed" },
    });
  }
  const agent = await requireAgent(tx, thread.agent);
  requireOnline(agent, "takes no input");
  return {
    inbox: streams.inbox(agent.id),
    to: { thread: thread.id, terminal: params.terminal, generation: Number(agent.generation) },
  };
}
