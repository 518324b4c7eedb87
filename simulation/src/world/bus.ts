/**
 * A bus between nodes that promises nothing: notices are lost, repeated, late and out of order, as drawn.
 *
 * A notice travels to every process that listens, its sender included, each copy by itself. While the bus is silent
 * nothing passes at all; when it comes back, listeners are told to look at everything, as a bus that reconnects does.
 */
import type { Bus, BusNotice } from "../../../packages/server/src/streams/bus.ts";
import type { Dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";

export interface BusWeather {
  isSilent: boolean;
  /** Of each copy. */
  loss: number;
  duplication: number;
  /** Mean of what is added to its way; with more than one notice under way this is what reorders. */
  delayMs: number;
}

export type BusFault = "busLoss" | "busDuplication" | "busReordering";

export interface SimulatedBus {
  open(process: Process): Bus;
  /** All who listen look at all heads. */
  returned(): void;
}

export function makeBus(
  scheduler: Scheduler,
  weather: BusWeather,
  dice: Dice,
  felt: (fault: BusFault) => void,
): SimulatedBus {
  const listeners = new Map<Process, Set<(notice: BusNotice) => void>>();
  let lastArrival = 0;

  const carry = (process: Process, notice: BusNotice): void => {
    if (weather.isSilent || dice.chance(weather.loss)) {
      felt("busLoss");
      return;
    }
    const at = scheduler.now + 1 + dice.exponentialMs(weather.delayMs);
    if (at < lastArrival) felt("busReordering");
    lastArrival = Math.max(lastArrival, at);
    process.arrive(at, () => {
      for (const hear of listeners.get(process) ?? []) hear(notice);
    });
  };

  const spread = (from: Process, notice: BusNotice): void => {
    if (!from.isAlive) return;
    for (const other of listeners.keys()) {
      // Signals come back to nobody: of those each is said to who listens, and not looked up.
      if (notice.kind === "signals" && other === from) continue;
      carry(other, notice);
      if (!dice.chance(weather.duplication)) continue;
      felt("busDuplication");
      carry(other, notice);
    }
  };

  return {
    open(process) {
      const mine = new Set<(notice: BusNotice) => void>();
      listeners.set(process, mine);
      process.onEnd(() => listeners.delete(process));
      return {
        publish: (heads) => spread(process, { kind: "heads", heads }),
        publishSignals: (signals) => spread(process, { kind: "signals", signals }),
        listen(hear) {
          mine.add(hear);
          return () => mine.delete(hear);
        },
      };
    },
    returned() {
      for (const process of listeners.keys())
        process.arrive(scheduler.now, () => {
          for (const hear of listeners.get(process) ?? []) hear({ kind: "all" });
        });
    },
  };
}
