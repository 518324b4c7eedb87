/**
 * Does everything arrive, once, over a bad line? The client library reads a stream through a proxy that cuts and stalls,
 * and what it hands over is compared with the same stream read without any fault.
 *
 * Life cycle: both readers begin at one cursor, at most {@link eventsMax} below the head; when the proxy has done all
 * of its faults, the untroubled reader's place is the goal, and the other must get there within {@link deliveryMsMax}.
 * It writes nothing to the server.
 */
import { createSession, type SessionState } from "@holdfast/client";
import type { Subscribed } from "@holdfast/protocol";
import { until } from "../shell/wait.ts";
import { version } from "../version.ts";
import { type Coverage, lostBetween, makeCoverage } from "./coverage.ts";
import { type Finding, sound, wrong } from "./finding.ts";
import { told } from "./printable.ts";
import type { Conversation } from "./shell/conversation.ts";
import { type CuttingProxy, startCuttingProxy } from "./shell/cuttingProxy.ts";
import type { Target } from "./target.ts";

/** The newest events that are read, at the beginning. */
const eventsMax = 1_000;
export const deliveryMsMax = 60_000;
const lookEveryMs = 50;

/** One reader's progress. */
interface Progress {
  readonly coverage: Coverage;
  /** Everything up to here was handed over, or is gone by retention. */
  through: number;
  /** Why it will get no further. */
  trouble: string | undefined;
}

/** `first`: the stream's answer over the conversation, which has read nothing of it yet. */
export async function checkDelivery(conversation: Conversation, target: Target, first: Subscribed): Promise<Finding> {
  const base = Math.max(first.offset, first.head - eventsMax);
  const from = { epoch: first.epoch, offset: base };
  const proxy = await startCuttingProxy(target);
  const calm = readCalmly(conversation, target, from);
  const troubled = readThrough(proxy, target, from);
  try {
    const isOver = (): boolean => calm.trouble !== undefined || troubled.progress.trouble !== undefined;
    const isPlanDone = await until(() => isOver() || (proxy.isHealthy && calm.through >= first.head), times);
    const goal = calm.through;
    const isBack = await until(() => isOver() || (troubled.isConnected() && troubled.progress.through >= goal), times);
    const { cuts, stalls } = proxy;
    return verdict({
      base,
      goal,
      calm,
      troubled: troubled.progress,
      faults: `${cuts} cuts and ${stalls} stall${stalls === 1 ? "" : "s"}`,
      isComplete: isPlanDone && isBack,
    });
  } finally {
    await troubled.close();
    proxy.close();
  }
}

const times = { msMax: deliveryMsMax, everyMs: lookEveryMs };

interface Reached {
  readonly base: number;
  readonly goal: number;
  readonly calm: Progress;
  readonly troubled: Progress;
  readonly faults: string;
  /** Whether the proxy has done all of its faults, and the troubled reader came back to the goal. */
  readonly isComplete: boolean;
}

function verdict({ base, goal, calm, troubled, faults, isComplete }: Reached): Finding {
  const trouble = calm.trouble ?? troubled.trouble;
  if (trouble !== undefined)
    return wrong(`reading stopped (${told(trouble)})`, "run the check again; the server's log says more");
  if (!isComplete)
    return wrong(
      `after ${faults} and ${deliveryMsMax} ms it is read to #${troubled.through} of #${goal}`,
      "connections do not come back: look for connection.closed in the server's log, and at what is in between",
    );
  const lost = lostBetween(calm.coverage, troubled.coverage, base, goal);
  const { size, repeated } = troubled.coverage;
  const says = `complete to #${goal}, ${lost} lost, ${repeated} repeated`;
  // Of nothing nothing can be lost: that the connection comes back is all that was shown.
  const read = size === 0 ? `no event in it yet; back after ${faults}` : `${size} events read across ${faults}`;
  if (lost === 0 && repeated === 0) return sound(`${says} (${read})`);
  return wrong(`${says} (${read})`, "this must never be: report it with the server's version and log");
}

/** The same stream over the open connection, which nobody disturbs. */
function readCalmly(conversation: Conversation, { stream }: Target, from: Subscribed | Cursor): Progress {
  const progress: Progress = { coverage: makeCoverage(from.offset), through: from.offset, trouble: undefined };
  const sub = 2;
  let isOurs = false;
  conversation.listen((message) => {
    if ("kind" in message) {
      progress.trouble ??= `closed with ${message.code}`;
      return;
    }
    if (!("stream" in message) || message.stream !== stream) return;
    if (message.type === "subscribed" && message.sub === sub) {
      isOurs = true;
      if (message.reset !== undefined) progress.trouble = `the stream began anew (${message.reset})`;
    }
    if (message.type === "refused") progress.trouble = message.error.code;
    if (message.type !== "events" || !isOurs) return;
    let next = message.offset;
    for (const { event, offset = next, through = offset } of message.events) {
      if (event !== "skipped") progress.coverage.add(offset, through);
      next = through + 1;
    }
    progress.through = Math.max(progress.through, next - 1);
  });
  conversation.send({ type: "subscribe", stream, sub, from: { epoch: from.epoch, offset: from.offset } });
  return progress;
}

interface Cursor {
  readonly epoch: string;
  readonly offset: number;
}

/** The stream as any program reads it, through the proxy. */
function readThrough(proxy: CuttingProxy, { stream, key }: Target, from: Cursor) {
  const progress: Progress = { coverage: makeCoverage(from.offset), through: from.offset, trouble: undefined };
  const session = createSession({
    url: proxy.url,
    clientName: "holdfast doctor",
    clientVersion: version,
    ...(key === undefined ? {} : { getToken: async () => key }),
    onProblem: (problem) => {
      progress.trouble = problem.code;
    },
  });
  session.onChange(() => {
    progress.trouble ??= stoppedBy(session.state);
  });
  session.subscribe(stream, {
    from,
    onEvents: (events, { cursor }) => {
      for (const { offset, through } of events) progress.coverage.add(offset, through);
      progress.through = cursor.offset;
    },
    onReset: ({ reason }) => {
      progress.trouble = `the stream began anew (${reason})`;
    },
    onStatus: (status) => {
      if (status.kind === "refused") progress.trouble = status.error.code;
    },
  });
  return { progress, isConnected: () => isConnected(session.state), close: () => session.close() };
}

function isConnected({ kind }: SessionState): boolean {
  return kind === "live" || kind === "catchingUp" || kind === "degraded";
}

function stoppedBy(state: SessionState): string | undefined {
  return state.kind === "stopped" ? state.reason : undefined;
}
