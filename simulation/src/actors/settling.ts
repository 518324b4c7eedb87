/**
 * When a session's connection is settled: open, and nothing of any stream is still to be answered (CL-3).
 *
 * Watched is what the session tells its readers, whoever they are. A settled connection may be far behind; one whose
 * store is away is not settled while a stream waits for it.
 */
import type { Session, Subscription } from "@holdfast/client";

type Subscribe = Session["subscribe"];
type Watched = Pick<Session, "state" | "onChange" | "subscribe">;

/** Gives the session back with its readers watched. `settled` is told of each change that leaves it settled. */
export function watchSettling<Kind extends Watched>(session: Kind, settled: () => void): Kind {
  const waiting = new Set<object>();
  const look = (): void => {
    if (isOpen(session.state.kind) && waiting.size === 0) settled();
  };
  const subscribe: Subscribe = session.subscribe.bind(session);
  session.onChange(look);
  return Object.assign(session, {
    subscribe(stream: string, options: Parameters<Subscribe>[1]): Subscription {
      const reader = {};
      waiting.add(reader);
      const subscription = subscribe(stream, {
        ...options,
        onStatus(status) {
          if (status.kind === "waiting" || status.kind === "pending") waiting.add(reader);
          else waiting.delete(reader);
          options.onStatus?.(status);
          look();
        },
      });
      return {
        stream,
        get status() {
          return subscription.status;
        },
        get cursor() {
          return subscription.cursor;
        },
        unsubscribe() {
          waiting.delete(reader);
          subscription.unsubscribe();
        },
      };
    },
  });
}

function isOpen(kind: Session["state"]["kind"]): boolean {
  return kind === "live" || kind === "catchingUp" || kind === "degraded";
}
