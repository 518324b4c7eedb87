/**
 * What an agent asked for before the store has named it: kept, and answered when it has (OP-7).
 *
 * Its subscriptions hear `pending` at once, since whose inbox it may read is not known yet; everything else it
 * buffers itself. Invariant: at most as many are kept as a connection may have (AD-5); of one stream the newest.
 */
import { limits, ProtocolError, type Subscription } from "@holdfast/protocol";
import { outageReason } from "../admission/storeHealth.ts";
import type { Writer } from "./writer.ts";

export interface Unnamed {
  /** False once it is named. */
  readonly waits: boolean;
  keep(asked: Subscription): void;
  drop(stream: string): void;
  /** It has a name: what was asked, in order. */
  take(): readonly Subscription[];
}

export function createUnnamed(writer: Pick<Writer, "send">): Unnamed {
  const kept = new Map<string, Subscription>();
  let waits = true;
  return {
    get waits() {
      return waits;
    },
    keep(asked) {
      const { stream, sub } = asked;
      kept.delete(stream);
      if (kept.size >= limits.subscriptionsMax) {
        const error = new ProtocolError(
          "too_many",
          `a connection has at most ${limits.subscriptionsMax} subscriptions`,
        );
        writer.send({ type: "refused", of: "subscribe", stream, sub, error: error.toBody() });
        return;
      }
      kept.set(stream, asked);
      writer.send({ type: "pending", stream, sub, reason: outageReason });
    },
    drop: (stream) => void kept.delete(stream),
    take() {
      waits = false;
      const asked = [...kept.values()];
      kept.clear();
      return asked;
    },
  };
}
