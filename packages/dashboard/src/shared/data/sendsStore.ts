/**
 * Sends commands and keeps what became of each until the thread's log tells it (`sends.ts`).
 *
 * Every send is durable: without a link it waits, saved here, and goes out by itself (RQ-3). Those of one
 * thread (or, for new threads, of one agent) follow each other (RQ-4). A text that was refused goes back into
 * the draft of its place, unless something else has been typed there. What an earlier page or another tab left
 * waiting is shown like one's own, and its outcome too; only its text stays where it was typed.
 */
import type { DurableSession } from "@holdfast/client/durable";
import type { ControlMethods } from "@holdfast/control/contract";
import { ProtocolError } from "@holdfast/protocol";
import type { Drafts } from "@holdfast/react/drafts";
import { useMemo, useSyncExternalStore } from "react";
import { problemText } from "../format/problem.ts";
import { pageClock } from "../platform/clockShell.ts";
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

export function useSendsStore(session: DurableSession<ControlMethods>, drafts: Drafts): SendsApi {
  const store = useMemo(() => new SendsStore(session, drafts), [session, drafts]);
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
  private readonly session: DurableSession<ControlMethods>;
  private readonly drafts: Drafts;
  /** Of the open sends of this page: key → ticket. Of others the ticket is the key. */
  private readonly tickets = new Map<string, string>();
  private readonly withdrawn = new Set<string>();
  private unwatch = (): void => {};
  private readonly listeners = new Set<() => void>();
  private current: readonly Send[] = [];
  private made = 0;

  constructor(session: DurableSession<ControlMethods>, drafts: Drafts) {
    this.session = session;
    this.drafts = drafts;
  }

  sends = (): readonly Send[] => this.current;

  onChange = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0) this.unwatch = this.session.onChange(() => this.adopt());
    this.listeners.add(listener);
    this.adopt();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.unwatch();
    };
  };

  act(action: SendsAction): void {
    this.current = reduceSends(this.current, action);
    for (const listener of this.listeners) listener();
  }

  async send(target: SendTarget, text: string): Promise<SendResult> {
    this.made += 1;
    const key = `send-${this.made}`;
    this.act({ kind: "saved", send: { key, target, text, savedAt: pageClock.now() } });
    try {
      const where = target.kind === "agent" ? { agent: target.agent } : { thread: target.thread };
      const lane = target.kind === "agent" ? target.agent : target.thread;
      const answer = await this.session.call(
        "command.send",
        { ...where, text },
        { durable: true, lane, onTicket: (ticket) => void this.tickets.set(key, ticket) },
      );
      this.withdrawn.delete(key);
      this.act({ kind: "accepted", key, command: answer.command, thread: answer.thread });
      return { kind: "accepted", thread: answer.thread };
    } catch (error) {
      return this.failed({ key, target, text }, error, true);
    } finally {
      this.forgetTickets();
    }
  }

  withdraw(key: string): void {
    this.withdrawn.add(key);
    this.session.withdraw(this.tickets.get(key) ?? key);
  }

  /** Shows what waits although this page did not send it. */
  private adopt(): void {
    this.forgetTickets();
    const known = new Set([...this.tickets.values(), ...this.current.map(({ key }) => key)]);
    for (const { ticket, method, params, savedAt } of this.session.saved) {
      const send = method === "command.send" && !known.has(ticket) ? readSend(params) : undefined;
      if (send !== undefined) void this.follow({ key: ticket, savedAt, ...send });
    }
  }

  /** A ticket is needed while its send is open, and while the session still lists it: else it would be shown twice. */
  private forgetTickets(): void {
    const needed = new Set(this.session.saved.map(({ ticket }) => ticket));
    const open = new Set(this.current.filter(({ state }) => state.kind === "saved").map(({ key }) => key));
    for (const [key, ticket] of this.tickets) if (!open.has(key) && !needed.has(ticket)) this.tickets.delete(key);
  }

  private async follow(send: Omit<Send, "state">): Promise<void> {
    this.act({ kind: "saved", send });
    try {
      const answer = (await this.session.outcome(send.key)) as ControlMethods["command.send"]["result"];
      this.withdrawn.delete(send.key);
      this.act({ kind: "accepted", key: send.key, command: answer.command, thread: answer.thread });
    } catch (error) {
      this.failed(send, error, this.withdrawn.has(send.key));
    }
  }

  /** `isOurs`: the text belongs back into this page's draft. */
  private failed(
    { key, target, text }: Pick<Send, "key" | "target" | "text">,
    error: unknown,
    isOurs: boolean,
  ): SendResult {
    this.withdrawn.delete(key);
    if (error instanceof ProtocolError && error.code === "timeout") {
      this.act({ kind: "unknown", key });
      return { kind: "unknown" };
    }
    if (isOurs && this.drafts.text(placeOf(target)) === "") this.drafts.set(placeOf(target), text);
    if (isWithdrawn(error)) {
      this.act({ kind: "gone", key });
      return { kind: "withdrawn" };
    }
    const problem = problemText(error);
    this.act({ kind: "refused", key, problem });
    return { kind: "refused", problem };
  }
}

/** What a saved `command.send` asks for; undefined where it is not of this page's making. */
function readSend(params: unknown): Pick<Send, "target" | "text"> | undefined {
  const { text, thread, agent } = (params ?? {}) as Partial<Record<string, unknown>>;
  if (typeof text !== "string") return undefined;
  if (typeof thread === "string") return { target: { kind: "thread", thread }, text };
  return typeof agent === "string" ? { target: { kind: "agent", agent }, text } : undefined;
}

const isWithdrawn = (error: unknown): boolean =>
  error instanceof ProtocolError && error.details?.["reason"] === "withdrawn";
