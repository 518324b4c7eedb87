/** One client, one model server, one clock. */
import type { DurableSession, DurableSessionOptions } from "../../src/durable/index.ts";
import { createDurableSession } from "../../src/durable/index.ts";
import { askOver } from "../../src/http.ts";
import { createSession, type Session, type SessionOptions, type SessionState } from "../../src/index.ts";
import type { PublisherSession, PublisherSessionOptions } from "../../src/publisher/index.ts";
import { createPublisherSession } from "../../src/publisher/index.ts";
import { ModelServer } from "./modelServer.ts";
import { makeRandom } from "./random.ts";
import { SimClock } from "./simClock.ts";

export interface Scenario<Kind extends Session = Session> {
  readonly clock: SimClock;
  readonly server: ModelServer;
  readonly session: Kind;
  /** Every public state since the start, without repeats of a kind. */
  readonly kinds: SessionState["kind"][];
}

type Prepare = (server: ModelServer) => void;

export const scenario = (options: Partial<SessionOptions> = {}, prepare?: Prepare): Scenario =>
  makeScenario(createSession, options, prepare);

export const publisherScenario = (
  options: Partial<PublisherSessionOptions> = {},
  prepare?: Prepare,
): Scenario<PublisherSession> => makeScenario(createPublisherSession, options, prepare);

export const durableScenario = (
  options: Partial<DurableSessionOptions> = {},
  prepare?: Prepare,
): Scenario<DurableSession> => makeScenario(createDurableSession, options, prepare);

function makeScenario<Options extends SessionOptions, Kind extends Session>(
  create: (options: Options) => Kind,
  options: Partial<Options>,
  prepare: Prepare = () => {},
): Scenario<Kind> {
  const clock = new SimClock();
  const server = new ModelServer(clock);
  prepare(server);
  const common: SessionOptions = {
    url: "ws://server.test/ws",
    clientName: "test",
    clock,
    transport: server,
    random: makeRandom(7),
    http: askOver((method, path) => {
      server.asked.push(`${method} ${path}`);
      return server.http(`${method} ${path}`);
    }),
  };
  const session = create({ ...common, ...options } as Options);
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
