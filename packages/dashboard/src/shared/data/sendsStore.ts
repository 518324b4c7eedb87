/**
 * Sends commands and keeps what became of each until the thread's log tells it (`sends.ts`).
 *
 * Every send is durable: without a link it waits, saved here, and goes out by itself (RQ-3). Those of one
 * thread (or, for new threads, of one agent) follow each other (RQ-4). A text that was refused goes back into
 * the draft of its place, unless something else has been typed there.
 */
import type { Session } from "@holdfast/client";
import type { ControlMethods } from "@holdfast/control/contract";
import { ProtocolError } from "@holdfast/protocol";
import { useMemo, useSyncExternalStore } from "react";
import { problemText } from "../format/problem.ts";
import { pageClock } from "../platform/clockShell.ts";
import { recallDraft, rememberDraft } from "./drafts.ts";
import { reduceSends, type Send, type SendsAction, type SendTarget } from "./sends.ts";

export type SendResult =
  | { readonly kind: "accepted"; readonly thread: string }
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "withdrawn" };

export interface SendsApi {
  readonly sends: readonly Send[];
  send(target: SendTarget, text: string): Promise<SendResult>;
  /** Takes back one that was never sent; its text goes back into the draft. */
  withdraw(key: string): void;
  dismiss(key: string): void;
}

/** Where drafts and sends of a target live. */
export const placeOf = (target: SendTarget): string =>
  target.kind === "agent" ? `agent/${target.agent}` : `thread/${target.thread}`;

export function useSendsStore(session: Session<ControlMethods>): SendsApi {
  const store = useMemo(() => new SendsStore(session), [session]);
  const sends = useSyncExternalStore(store.onChange, store.sends);
  return useMemo(
    () => ({
      sends,
      send: (target, text) => store.send(target, text),
      withdraw: (key) => store.withdraw(key),
      dismiss: (key) => store.act({ kind: "gone", key }),
    }),
    [store, sends],
  );
}

export class SendsStore {
  private readonly session: Session<ControlMethods>;
  private readonly withdrawals = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private current: readonly Send[] = [];
  private made = 0;

  constructor(session: Session<ControlMethods>) {
    this.session = session;
  }

  sends = (): readonly Send[] => this.current;

  onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  act(action: SendsAction): void {
    this.current = reduceSends(this.current, action);
    for (const listener of this.listeners) listener();
  }

  async send(target: SendTarget, text: string): Promise<SendResult> {
    this.made += 1;
    const key = `send-${this.made}`;
    const withdrawal = new AbortController();
    this.withdrawals.set(key, withdrawal);
    this.act({ kind: "saved", send: { key, target, text, savedAt: pageClock.now() } });
    try {
      const where = target.kind === "agent" ? { agent: target.agent } : { thread: target.thread };
      const lane = target.kind === "agent" ? target.agent : target.thread;
      const answer = await this.session.call(
        "command.send",
        { ...where, text },
        { durable: true, lane, signal: withdrawal.signal },
      );
      this.act({ kind: "accepted", key, command: answer.command, thread: answer.thread });
      return { kind: "accepted", thread: answer.thread };
    } catch (error) {
      return this.failed(key, target, text, error, withdrawal.signal.aborted);
    } finally {
      this.withdrawals.delete(key);
    }
  }

  withdraw(key: string): void {
    this.withdrawals.get(key)?.abort();
  }

  private failed(key: string, target: SendTarget, text: string, error: unknown, withdrawn: boolean): SendResult {
    if (error instanceof ProtocolError && error.code === "timeout") {
      this.act({ kind: "unknown", key });
      return { kind: "unknown" };
    }
    if (recallDraft(placeOf(target)) === "") rememberDraft(placeOf(target), text);
    if (withdrawn) {
      this.act({ kind: "gone", key });
      return { kind: "withdrawn" };
    }
    const problem = problemText(error);
    this.act({ kind: "refused", key, problem });
    return { kind: "refused", problem };
  }
}
