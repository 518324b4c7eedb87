/**
 * Signals between nodes (ST-17): what is said on one is heard on the others a moment later, or not at all.
 *
 * Life cycle of a signal: told here at once → waits for the next batch, at most {@link batchMs}, in which a newer one of
 * the same kind, stream and sender takes its place → over the bus → told by the other nodes to who listens there.
 * Invariants: at most {@link waitingMax} wait, the oldest gives way; one batch in {@link batchMs}; what came over the bus
 * goes on to no bus. It deliberately knows nothing of who heard it.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Bus, FarSignal } from "../streams/bus.ts";
import type { SignalBoard } from "./signals.ts";

const batchMs = 250;
const waitingMax = 500;

export interface SignalRelay extends SignalBoard {
  stop(): void;
}

export interface SignalRelayOptions {
  readonly board: SignalBoard;
  readonly bus: Pick<Bus, "publishSignals" | "listen">;
  readonly clock: Clock;
}

/** The board of this node, whose signals reach the boards of the others. */
export function relaySignals({ board, bus, clock }: SignalRelayOptions): SignalRelay {
  /** By what they replace; the oldest first. */
  const waiting = new Map<string, FarSignal>();
  let timer: TimerHandle | undefined;

  const offer = (signal: FarSignal): void => {
    const key = JSON.stringify([signal.workspace, signal.stream, signal.signal, signal.from]);
    waiting.delete(key);
    waiting.set(key, signal);
    const [oldest] = waiting.keys();
    if (waiting.size > waitingMax && oldest !== undefined) waiting.delete(oldest);
    timer ??= clock.after(batchMs, () => {
      timer = undefined;
      const batch = [...waiting.values()];
      waiting.clear();
      bus.publishSignals(batch);
    });
  };

  const unlisten = bus.listen((notice) => {
    if (notice.kind !== "signals") return;
    for (const { workspace, ...signal } of notice.signals) board.send(workspace, { type: "signal", ...signal });
  });

  return {
    ...board,
    send(workspace, signal, sender) {
      board.send(workspace, signal, sender);
      const { type: _, from = "", ...said } = signal;
      offer({ ...said, workspace, from });
    },
    stop() {
      unlisten();
      if (timer !== undefined) clock.cancel(timer);
      waiting.clear();
    },
  };
}
