/**
 * Signals: what is worth nothing a second later (ST-17). Never stored, latest wins, dropped first.
 *
 * The board knows which connections of this node listen to which stream; a signal goes to all of them but
 * its sender, and to none that is behind; `signalRelay.ts` takes it to other nodes. Invariant: `from` is the sender's verified identity, whatever it
 * said; a sender over its rate is not heard, and costs nobody anything.
 */
import { type Clock, limits, type Signal } from "@holdfast/protocol";
import type { Principal } from "../plugin.ts";

/** What people may send; an agent may tell its `health` to the fleet, and `typing` and `progress` of its work. */
const personSignals: ReadonlySet<string> = new Set(["typing", "presence", "cursor"]);
const agentSignals: ReadonlySet<string> = new Set(["health", "typing", "progress"]);

export interface SignalListener {
  hearSignal(signal: Signal): void;
}

export interface SignalBoard {
  join(workspace: string, stream: string, listener: SignalListener): void;
  leave(workspace: string, stream: string, listener: SignalListener): void;
  /** To all who listen on this node, but to the sender, if it is one of them. */
  send(workspace: string, signal: Signal, sender?: SignalListener): void;
}

export function createSignalBoard(): SignalBoard {
  const listeners = new Map<string, Set<SignalListener>>();
  const key = (workspace: string, stream: string): string => `${workspace}\n${stream}`;
  return {
    join(workspace, stream, listener) {
      const found = listeners.get(key(workspace, stream)) ?? new Set();
      found.add(listener);
      listeners.set(key(workspace, stream), found);
    },
    leave(workspace, stream, listener) {
      const found = listeners.get(key(workspace, stream));
      found?.delete(listener);
      if (found?.size === 0) listeners.delete(key(workspace, stream));
    },
    send(workspace, signal, sender) {
      for (const listener of listeners.get(key(workspace, signal.stream)) ?? []) {
        if (listener !== sender) listener.hearSignal(signal);
      }
    },
  };
}

/** Why a principal may not send this signal; undefined where it may. */
export function signalProblem(principal: Principal, message: Signal): string | undefined {
  const allowed = principal.kind === "agent" ? agentSignals : personSignals;
  if (!allowed.has(message.signal)) return `"${message.signal}" is not among ${[...allowed].join(", ")}`;
  const bytes = Buffer.byteLength(JSON.stringify(message.data ?? null));
  if (bytes > limits.signalDataBytesMax) return `data has ${bytes} bytes, more than ${limits.signalDataBytesMax}`;
  return undefined;
}

/** At most {@link limits.signalsPerSecond} a connection; what is over is dropped. */
export function createSignalRate(clock: Clock): () => boolean {
  let windowAt = Number.NEGATIVE_INFINITY;
  let sent = 0;
  return () => {
    const now = clock.monotonic();
    if (now - windowAt >= 1_000) {
      windowAt = now;
      sent = 0;
    }
    sent += 1;
    return sent <= limits.signalsPerSecond;
  };
}
