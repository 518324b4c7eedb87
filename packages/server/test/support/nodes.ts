/** Nodes of one deployment: one engine in memory, sign-in as it is, and a bus that a test may silence. */
import { admissionLimitsOf } from "../../src/admission/limits.ts";
import { peopleMethods, plugin as peoplePlugin } from "../../src/auth/people/plugin.ts";
import { plugin as authPlugin } from "../../src/auth/plugin.ts";
import { type Auth, type AuthOptions, createAuth } from "../../src/auth/service.ts";
import { defaultConnectionLimits } from "../../src/connectionLimits.ts";
import type { UpgradeCredentials } from "../../src/gateway/opening.ts";
import { createNode, type Node } from "../../src/node.ts";
import { createLogLevels, type LogLevels } from "../../src/observe/logLevels.ts";
import { plugin as operations } from "../../src/observe/operationsPlugin.ts";
import type { Plugin } from "../../src/plugin.ts";
import type { Bus, BusNotice } from "../../src/streams/bus.ts";
import { collectLog, type LogLine, makeRandom } from "../auth/authWorld.ts";
import { openEngine } from "./engine.ts";
import { plugin as notes } from "./notesApp.ts";
import { createSimClock, type SimClock } from "./simClock.ts";
import { createTestClient, type FaultyStore, inThread, type TestClient } from "./world.ts";

/** Simulated. */
const openMsMax = 4_000;
const waitMsMax = 10_000;

export interface Nodes {
  readonly clock: SimClock;
  readonly store: FaultyStore;
  readonly log: readonly LogLine[];
  /** Nothing passes between nodes while it is true. */
  isBusSilent: boolean;
  start(): Promise<TestNode>;
}

export interface TestNode extends Node<Auth> {
  /** What it published, in order. */
  readonly said: readonly BusNotice[];
  /** What it writes of its log. */
  readonly levels: LogLevels;
  connect(credential?: UpgradeCredentials): TestClient;
  /** The same, and waits for the welcome or the close: signatures are verified in real time. */
  open(credential?: UpgradeCredentials, hello?: object): Promise<TestClient>;
  /** The owner's session, as a cookie's value. */
  signIn(): Promise<string>;
  /** Simulated time goes on while it works. */
  wait<Value>(work: Promise<Value>): Promise<Value>;
}

export async function openNodes(
  app: Plugin = notes,
  { signingKeyLifeMs }: Pick<AuthOptions, "signingKeyLifeMs"> = {},
): Promise<Nodes> {
  const clock = createSimClock();
  const random = makeRandom();
  const { engine, dialect } = await openEngine([authPlugin, peoplePlugin, operations, app], () => clock.now());
  const store = inThread(engine, dialect);
  const { lines, log } = collectLog();
  const listeners = new Map<Bus, Set<(notice: BusNotice) => void>>();

  const openBus = (said: BusNotice[]): Bus => {
    const say = (notice: BusNotice): void => {
      said.push(notice);
      if (nodes.isBusSilent) return;
      for (const [other, hearers] of listeners) if (other !== bus) for (const hear of hearers) hear(notice);
    };
    const bus: Bus = {
      publish: (heads) => say({ kind: "heads", heads }),
      publishSignals: (signals) => say({ kind: "signals", signals }),
      listen(hear) {
        const hearers = listeners.get(bus) ?? new Set();
        listeners.set(bus, hearers.add(hear));
        return () => hearers.delete(hear);
      },
    };
    return bus;
  };

  const nodes: Nodes = {
    clock,
    store,
    log: lines,
    isBusSilent: false,
    async start() {
      const said: BusNotice[] = [];
      const levels = createLogLevels("info");
      const node = await within(
        clock,
        createNode({
          app,
          store,
          clock,
          random,
          log: { ...log, levels },
          mode: "local",
          limits: defaultConnectionLimits,
          moreMethods: { ...peopleMethods({ signInLinks: true }), ...operations.methods },
          moreStreams: operations.streams,
          admission: admissionLimitsOf({}, defaultConnectionLimits),
          authenticator: (run) =>
            createAuth({ run, mode: "local", clock, random, log, ...(signingKeyLifeMs && { signingKeyLifeMs }) }),
          bus: openBus(said),
        }),
      );
      await within(clock, node.start());
      const { gateway, authenticator } = node;
      const connect: TestNode["connect"] = (upgrade) => createTestClient({ gateway, clock }, upgrade);
      return {
        ...node,
        said,
        levels,
        connect,
        async open(upgrade, hello) {
          const client = connect(upgrade);
          await client.open(hello);
          const isJudged = (): boolean => client.of("welcome").length > 0 || client.closed !== undefined;
          for (let ms = 0; !isJudged() && ms < openMsMax; ms += 1) await clock.advance(1);
          return client;
        },
        async signIn() {
          const redeemed = await within(
            clock,
            authenticator.signInCode().then((code) => authenticator.redeem(code)),
          );
          if (redeemed.kind !== "signedIn") throw new Error("the code was refused");
          return redeemed.cookie;
        },
        wait: (work) => within(clock, work),
      };
    },
  };
  return nodes;
}

/** What takes simulated time, with the time that it takes. */
async function within<Value>(clock: SimClock, work: Promise<Value>): Promise<Value> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  for (let ms = 0; !isDone && ms < waitMsMax; ms += 1) await clock.advance(1);
  return done;
}
