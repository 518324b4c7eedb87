/** Who listens to one thing. A listener's fault is the program's; one that stops listening while it is told is let be. */
import { guard } from "../core/effects.ts";
import { report } from "./handlers.ts";

export interface Listeners<Heard extends readonly unknown[]> {
  /** Returns how to stop it. */
  add(listener: (...heard: Heard) => void): () => void;
  tell(...heard: Heard): void;
}

export function makeListeners<Heard extends readonly unknown[]>(): Listeners<Heard> {
  const listeners = new Set<(...heard: Heard) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(...heard) {
      for (const listener of [...listeners]) guard(() => listener(...heard), report);
    },
  };
}
