/** One client, one model server, one clock. */
import { createSession, type Session, type SessionOptions, type SessionState } from "../../src/index.ts";
import { ModelServer } from "./modelServer.ts";
import { makeRandom } from "./random.ts";
import { SimClock } from "./simClock.ts";

export interface Scenario {
  readonly clock: SimClock;
  readonly server: ModelServer;
  readonly session: Session;
  /** Every public state since the start, without repeats of a kind. */
  readonly kinds: SessionState["kind"][];
}

export function scenario(
  options: Partial<SessionOptions> = {},
  prepare: (server: ModelServer) => void = () => {},
): Scenario {
  const clock = new SimClock();
  const server = new ModelServer(clock);
  prepare(server);
  const session = createSession({
    url: "ws://server.test/ws",
    clientName: "test",
    clock,
    transport: server,
    random: makeRandom(7),
    http: (method, path) => {
      server.asked.push(`${method} ${path}`);
      return server.http(`${method} ${path}`);
    },
    ...options,
  });
  const kinds: SessionState["kind"][] = [session.state.kind];
  session.onChange(() => {
    if (kinds.at(-1) !== session.state.kind) kinds.push(session.state.kind);
  });
  return { clock, server, session, kinds };
}

/** A reader that keeps what it was given. */
export function reader(
  session: Session,
  stream: string,
  from: "start" | "latest" = "start",
): {
  items: unknown[];
  offsets: number[];
  resets: string[];
  snapshots: unknown[];
  statuses: string[];
  stop: () => void;
} {
  const seen = {
    items: [] as unknown[],
    offsets: [] as number[],
    resets: [] as string[],
    snapshots: [] as unknown[],
    statuses: [] as string[],
  };
  const subscription = session.subscribe(stream, {
    from,
    onEvents(events) {
      for (const event of events) {
        seen.items.push(event.data);
        seen.offsets.push(event.offset);
      }
    },
    onReset(reset) {
      seen.resets.push(reset.reason);
      seen.items.length = 0;
    },
    onSnapshot: (data) => void seen.snapshots.push(data),
    onStatus: (status) => void seen.statuses.push(status.kind),
  });
  return Object.assign(seen, { stop: () => subscription.unsubscribe() });
}
