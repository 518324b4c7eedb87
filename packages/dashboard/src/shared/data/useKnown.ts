/**
 * An agent or a thread by its id, as the streams tell it; what they do not hold (an agent that was removed, a thread that is
 * archived or older than their snapshot) is asked for.
 */
import type { Agent, Thread } from "@holdfast/control/contract";
import type { ProtocolError } from "@holdfast/protocol";
import { useLive, useSends } from "./LiveData.tsx";
import type { Send } from "./sends.ts";
import { useAnswer } from "./useAnswer.ts";

export type Known<Thing> =
  | { readonly kind: "loading" }
  /** There is none, or it is not this person's to see. */
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly error: ProtocolError; readonly again: () => void }
  | { readonly kind: "known"; readonly it: Thing };

export type KnownAgent = Agent & { readonly removedAt?: number | undefined };

export function useKnownThread(id: string): Known<Thread> {
  const { threads } = useLive();
  const { sends } = useSends();
  const live = threads.state.threads.get(id) ?? begunHere(sends, id);
  const { result, error, again } = useAnswer(
    "thread.get",
    live === undefined && threads.isLoaded ? { thread: id } : undefined,
  );
  return known(live ?? result?.thread, error, again);
}

/** @param id undefined while it is not known whose it is. */
export function useKnownAgent(id: string | undefined): Known<KnownAgent> {
  const { fleet } = useLive();
  const live = id === undefined ? undefined : fleet.state.agents.get(id);
  const { result, error, again } = useAnswer(
    "agent.get",
    live === undefined && id !== undefined && fleet.isLoaded ? { agent: id } : undefined,
  );
  return known(live ?? (result && { ...result.agent, removedAt: result.removedAt }), error, again);
}

/** The answer to a first command names its thread before the stream does: whoever sent it goes on typing there. */
function begunHere(sends: readonly Send[], id: string): Thread | undefined {
  for (const { state, target } of sends) {
    if (state.kind !== "accepted" || state.thread !== id || target.kind !== "agent") continue;
    return { id, agent: target.agent, kind: "work", title: "Thread", createdAt: 0, createdBy: "", activeAt: 0 };
  }
  return undefined;
}

function known<Thing>(it: Thing | undefined, error: ProtocolError | undefined, again: () => void): Known<Thing> {
  if (it !== undefined) return { kind: "known", it };
  if (error === undefined) return { kind: "loading" };
  return error.code === "not_found" || error.code === "forbidden" ? { kind: "none" } : { kind: "failed", error, again };
}
