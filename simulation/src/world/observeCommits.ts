/**
 * From what a batch made durable to what the judge is told of it.
 *
 * It reads results, never inputs: an event's offset and epoch as the engine gave them, and from its data whose it is.
 * An epoch that changed is found by looking, after the operations that may change one.
 */
import type { AgentWelcome } from "@holdfast/server/plugin";
import type { BatchResult, Operation } from "../../../packages/server/src/store/port.ts";
import { askerOf, contentOf } from "../actors/content.ts";
import type { Observation } from "../judge/observation.ts";
import type { InvariantId } from "../judge/violation.ts";
import { boardStream, logPrefix } from "./app.ts";
import type { Database } from "./database.ts";
import { makeThreadBooks } from "./threadBooks.ts";

export interface CommitWatch {
  /** What a batch did, at the moment it became durable. */
  committed(batch: readonly Operation[], result: BatchResult): Promise<void>;
  /** An older image was put back. */
  rolledBack(): Promise<void>;
}

export interface CommitWatchParts {
  readonly database: Database;
  readonly now: () => number;
  readonly observe: (observation: Observation) => void;
  /** Whose connection an agent's status follows, and whether there is one now. */
  readonly agentOwner: (
    agent: string,
  ) => { readonly client: string; readonly isConnected: boolean; readonly isNodeSilent: boolean } | undefined;
  readonly violated: (invariant: InvariantId, message: string) => void;
}

type Fields = Readonly<Record<string, unknown>>;

export function watchCommits({ database, now, observe, violated, agentOwner }: CommitWatchParts): CommitWatch {
  /** Of each agent, as last granted. */
  const generations = new Map<string, number>();
  const statuses = new Map<string, string>();
  const epochs = new Map<string, { epoch: string; head: number }>();
  /** Up to where each stream was removed. */
  const removed = new Map<string, number>();
  const threads = makeThreadBooks();

  /** REL-I10: nothing of an older process is accepted, once a newer one was named. */
  const judgeGeneration = ({ caller, generation, stream, events }: Extract<Operation, { kind: "publish" }>): void => {
    const current = generations.get(caller.id);
    if (generation === undefined || current === undefined || generation === current || events.length === 0) return;
    violated(
      "REL-I10",
      `generation ${generation} of agent ${caller.id} published to ${stream}, the current is ${current}`,
    );
  };

  const renewed = async (): Promise<void> => {
    for (const [place, { epoch, head }] of await database.heads()) {
      const known = epochs.get(place);
      const [workspace = "", stream = ""] = place.split("\n");
      if (known !== undefined && known.epoch !== epoch)
        observe({ kind: "epochBegan", at: now(), workspace, stream, epoch, head });
      epochs.set(place, { epoch, head });
    }
  };

  return {
    async committed(batch, { outcomes, appended }) {
      if (outcomes.some((outcome, index) => batch[index]?.kind === "retain" && hasRemoved(outcome)))
        await removedLately();
      // Before the events of the same batch, which are already under the new epoch.
      if (batch.some(({ kind }) => kind === "renew")) await renewedBefore(appended);
      batch.forEach((operation, index) => {
        const outcome = outcomes[index];
        if (outcome?.ok !== true) return;
        if (operation.kind === "publish") judgeGeneration(operation);
        if (operation.kind !== "agentHello") return;
        const { identity } = outcome.value as AgentWelcome;
        generations.set(identity.id, identity.generation);
        observe({ kind: "generationGranted", at: now(), agent: identity.id, generation: identity.generation });
      });
      for (const { workspace, stream, epoch, offset, events } of appended) {
        epochs.set(`${workspace}\n${stream}`, { epoch, head: offset + events.length - 1 });
        events.forEach(({ event, json }, index) => {
          const data = JSON.parse(json) as Fields;
          const origin = originOf(stream, event, data);
          observe({
            kind: "committed",
            at: now(),
            workspace,
            stream,
            epoch,
            offset: offset + index,
            content: contentOf({ event, data }),
            ...(origin === undefined ? {} : { origin }),
          });
          threads.committed(`${workspace}\n${stream}`, offset + index, event, data);
          follow(stream, event, data);
        });
      }
    },
    async rolledBack() {
      const heads = await database.heads();
      for (const [place, { trimmed, head }] of heads) {
        removed.set(place, trimmed);
        threads.cut(place, head);
      }
      for (const [place, { head }] of epochs) {
        const left = heads.get(place)?.head ?? 0;
        const [workspace = "", stream = ""] = place.split("\n");
        if (left < head) observe({ kind: "rolledBack", at: now(), workspace, stream, head: left });
      }
      await renewed();
      for (const place of [...epochs.keys()]) if (!heads.has(place)) epochs.delete(place);
    },
  };

  /** What retention has removed since it was looked at last: a beginning, and what keyframes replace (ST-10). */
  async function removedLately(): Promise<void> {
    const left = threads.isEmpty ? undefined : await database.offsets();
    for (const [place, { trimmed }] of await database.heads()) {
      for (const { offset, isReplaced, event } of threads.removed(place, trimmed, left?.get(place))) {
        const [workspace = "", stream = ""] = place.split("\n");
        observe({ kind: "removed", at: now(), workspace, stream, offset, through: offset });
        if (!isReplaced) violated("I3", `retention removed ${event} at ${offset} of ${stream}, which nothing replaces`);
      }
      const before = removed.get(place) ?? 0;
      removed.set(place, trimmed);
      const [workspace = "", stream = ""] = place.split("\n");
      if (trimmed > before)
        observe({ kind: "removed", at: now(), workspace, stream, offset: before + 1, through: trimmed });
    }
  }

  /** New epochs, with the heads that they began with. */
  async function renewedBefore(appended: BatchResult["appended"]): Promise<void> {
    const heads = await database.heads();
    for (const [place, { epoch, head }] of heads) {
      const known = epochs.get(place);
      const [workspace = "", stream = ""] = place.split("\n");
      const here = appended.find((run) => run.workspace === workspace && run.stream === stream);
      const began = head - (here?.events.length ?? 0);
      if (known !== undefined && known.epoch !== epoch)
        observe({ kind: "epochBegan", at: now(), workspace, stream, epoch, head: began });
      if (known === undefined || known.epoch !== epoch) epochs.set(place, { epoch, head: began });
    }
  }

  /** I7, OP-5: what was asked in one user's name is done in no other's. */
  function judgeEffect(request: string, user: string): void {
    observe({ kind: "effectCommitted", at: now(), request });
    const asker = askerOf(request);
    if (asker !== "" && asker !== user) violated("I7", `request ${request} was done in the name of ${user}`);
  }

  function follow(stream: string, event: string, data: Fields): void {
    const at = now();
    if (stream === boardStream) judgeEffect(String(data["r"]), String(data["u"]));
    if (event === "command.queued") judgeEffect(String(data["text"]), String(data["sentBy"]));
    if (event === "command.started") observe({ kind: "commandClaimed", at, command: String(data["command"]) });
    if (event === "command.finished")
      observe({ kind: "commandFinished", at, command: String(data["command"]), outcome: String(data["outcome"]) });
    if (event === "agent.registered" || event === "agent.changed") {
      const { id, status } = data["agent"] as { id: string; status: "online" | "reconnecting" | "offline" };
      const owner = agentOwner(id);
      if (owner === undefined || statuses.get(id) === status) return;
      statuses.set(id, status);
      const { client, isConnected, isNodeSilent } = owner;
      // Its node has been silent for a lease: to the others its connection has ended.
      if (status !== "online" && isNodeSilent) observe({ kind: "closed", at, client, code: 1006, cause: "silence" });
      observe({ kind: "agentStatus", at, agent: id, client, status });
      // It speaks for a connection that had ended before its `hello` was durable: what follows it is right.
      if (status === "online" && !isConnected) observe({ kind: "closed", at, client, code: 1006, cause: "network" });
    }
  }
}

function hasRemoved(outcome: BatchResult["outcomes"][number]): boolean {
  return outcome.ok && (outcome.value as { readonly removed?: number } | null)?.removed !== 0;
}

/** Whose event it is, where somebody produced it. */
function originOf(stream: string, event: string, { p, n }: Fields): { producer: string; sequence: number } | undefined {
  if (!stream.startsWith(logPrefix) || event !== "line") return undefined;
  return { producer: String(p), sequence: Number(n) };
}
