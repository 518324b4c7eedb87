/** A node's gateway on a simulated clock and sockets, over a real engine in memory. */
import { randomBytes, randomUUID } from "node:crypto";
import type { ServerMessage } from "@holdfast/protocol";
import type { Kysely } from "kysely";
import { type AdmissionLimits, admissionLimitsOf } from "../../src/admission/limits.ts";
import type { Credentials, Verdict } from "../../src/auth/verdict.ts";
import { defaultConnectionLimits } from "../../src/connectionLimits.ts";
import type { FeatureFlags } from "../../src/flags/features.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import type { UpgradeCredentials } from "../../src/gateway/opening.ts";
import type { ServerSocketEvents } from "../../src/gateway/serverSocket.ts";
import { createNode, type Node } from "../../src/node.ts";
import type { Observer } from "../../src/observe/observer.ts";
import { plugin as recordsPlugin } from "../../src/observe/recordsPlugin.ts";
import type { Plugin, PluginRuntime, Principal } from "../../src/plugin.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import type { Engine } from "../../src/store/engine.ts";
import { StoreLost } from "../../src/store/outage.ts";
import type { Store } from "../../src/store/port.ts";
import type { StoreTables } from "../../src/store/schema.ts";
import type { Committer } from "../../src/streams/committer.ts";
import type { Hub } from "../../src/streams/hub.ts";
import { openEngine } from "./engine.ts";
import { plugin as notes } from "./notesApp.ts";
import { ada } from "./principals.ts";
import { createSimClock, type SimClock } from "./simClock.ts";

export interface LogLine {
  /** ms since 1970, on the world's clock. */
  readonly at: number;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

export interface World {
  readonly clock: SimClock;
  readonly node: Node;
  readonly gateway: Gateway;
  readonly committer: Committer;
  readonly hub: Hub;
  readonly store: FaultyStore;
  readonly log: LogLine[];
  /** What the plugin heard of agents' connections. */
  readonly agents: string[];
  /** The verdict on everybody who comes; by default Ada, for ever. */
  verdict: (credentials: Credentials) => Verdict | Promise<Verdict>;
  /** A session or key ends before its time (AU-9). */
  end(credential: string): void;
  connect(upgrade?: UpgradeCredentials, address?: string): TestClient;
}

/** The store in this thread, with faults that a test switches on. */
export interface FaultyStore extends Store {
  failing: boolean;
  /** Calls are not answered as long as it is true; then they go on. */
  hanging: boolean;
  /** Nothing can be written, as on a full disk. */
  full: boolean;
  /** Calls of any kind. */
  asked: number;
  /** What commits is not told to the hub, as if a bus had lost it (ST-14). */
  losing: boolean;
  /** Retention, as a test asks for it. */
  trim(stream: string, through: number): Promise<void>;
  remove(stream: string, from: number, through: number): Promise<void>;
  /** Reads of this stream fail, everything else works (ST-8). */
  unreadable: string | undefined;
  reads: number;
}

export function inThread(engine: Engine, dialect: Dialect): FaultyStore {
  let waiting: (() => void)[] = [];
  let hanging = false;
  const store: FaultyStore = {
    failing: false,
    full: false,
    get hanging() {
      return hanging;
    },
    set hanging(hangs) {
      hanging = hangs;
      const released = waiting;
      if (!hangs) waiting = [];
      if (!hangs) for (const go of released) go();
    },
    asked: 0,
    losing: false,
    unreadable: undefined,
    reads: 0,
    trim: (stream, through) => dialect.trim("default", stream, through),
    remove: async (stream, from, through) => {
      const db = dialect.kysely as Kysely<StoreTables>;
      const found = await db.selectFrom("streams").select("id").where("name", "=", stream).executeTakeFirstOrThrow();
      await db
        .deleteFrom("events")
        .where("stream", "=", found.id)
        .where("offset", ">=", from)
        .where("offset", "<=", through)
        .execute();
    },
    commit: async (batch) => {
      if (store.full) throw Object.assign(new Error("the disk is full, as asked"), { errcode: 13 });
      return guard(() => engine.commit(batch));
    },
    position: async (workspace, stream) => guard(() => dialect.position(workspace, stream)),
    positions: async (streams) =>
      guard(() => Promise.all(streams.map(({ workspace, stream }) => dialect.position(workspace, stream)))),
    snapshot: async (workspace, stream) => guard(() => engine.snapshot(workspace, stream)),
    read: async (...place) => {
      store.reads += 1;
      if (place[1] === store.unreadable) throw new Error("this stream cannot be read, as asked");
      return guard(() => engine.readEncoded(...place));
    },
    query: async (caller, method, params) => guard(() => engine.query(caller, method, params)),
    close: async () => dialect.close(),
  };
  /** One call after the other, as in the store's worker: a connection has one transaction. */
  let last: Promise<unknown> = Promise.resolve();
  const guard = <Value>(run: () => Promise<Value>): Promise<Value> => {
    store.asked += 1;
    if (store.failing) throw new StoreLost("the store is down, as asked");
    const before = last;
    const begun = hanging ? new Promise<void>((go) => waiting.push(go)).then(() => before) : before;
    const next = begun.then(run);
    last = next.catch(() => {});
    return next;
  };
  return store;
}

/** What outlives a node: its deployment's key, and the time. */
export interface Deployment {
  readonly key?: Uint8Array;
  readonly startMs?: number;
  /** Keeps ended connections in the store. */
  readonly keepsRecords?: boolean;
  readonly observer?: Observer;
  readonly flags?: FeatureFlags;
}

export async function createWorld(
  plugin: Plugin = notes,
  admission: Partial<AdmissionLimits> = {},
  deployment: Deployment = {},
): Promise<World> {
  const { keepsRecords = false } = deployment;
  const clock = createSimClock(deployment.startMs);
  const { engine, dialect } = await openEngine([plugin, ...(keepsRecords ? [recordsPlugin] : [])], () => clock.now());
  const store = inThread(engine, dialect);
  const lines: LogLine[] = [];
  const agents: string[] = [];
  const ends: ((credential: string) => void)[] = [];
  const write = (level: string) => (event: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ at: clock.now(), level, event, fields });
  const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const runtime: PluginRuntime = {
    started: async () => {},
    agentConnected: ({ id, connection }) => void agents.push(`connected ${id} ${connection}`),
    agentDisconnected: ({ id, connection }) => void agents.push(`disconnected ${id} ${connection}`),
    stopped: () => {},
  };
  const node = await createNode({
    app: { ...plugin, start: () => runtime },
    // What a bus would lose: it commits, and the hub hears nothing of it.
    store: {
      ...store,
      commit: async (batch) => {
        const result = await store.commit(batch);
        return store.losing ? { ...result, appended: [] } : result;
      },
    },
    clock,
    random: { fraction: Math.random, bytes: (count) => randomBytes(count) },
    log,
    mode: "local",
    keepsRecords,
    ...(deployment.flags && { flags: deployment.flags }),
    ...(deployment.observer && { observer: deployment.observer }),
    limits: defaultConnectionLimits,
    admission: admissionLimitsOf(admission, defaultConnectionLimits),
    place: { store: "memory", file: "/data/holdfast.db" },
    authenticator: async () => ({
      verify: async (credentials) => world.verdict(credentials),
      onEnded: (listener) => void ends.push(listener),
      ...(deployment.key === undefined ? {} : { deriveKey: () => deployment.key ?? new Uint8Array() }),
    }),
  });
  const { gateway, context } = node;
  const { committer, hub } = context;
  const world: World = {
    clock,
    node,
    gateway,
    committer,
    hub,
    store,
    log: lines,
    agents,
    verdict: () => accepted(ada),
    end: (credential) => {
      for (const listener of ends) listener(credential);
    },
    connect: (upgrade = {}, address = "127.0.0.1") => createTestClient(world, upgrade, address),
  };
  return world;
}

export function accepted(principal: Principal, expiresAt?: number, credential?: string): Verdict {
  return {
    kind: "accepted",
    principal,
    cookie: false,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(credential === undefined ? {} : { credential }),
  };
}

export interface TestClient {
  readonly received: ServerMessage[];
  readonly closed: { code: number; reason: string } | undefined;
  readonly isPaused: boolean;
  /** While true the network takes nothing: what is written stays unsent. */
  stalled: boolean;
  readonly unsentBytes: number;
  readonly frames: number;
  send(...messages: object[]): void;
  sendText(text: string): void;
  /** What weather its socket was given. */
  readonly weather: readonly string[];
  /** The network takes what is unsent. */
  drain(): void;
  /** The other side is gone; without a word, unless it says one. */
  drop(code?: number, reason?: string): void;
  of<Type extends ServerMessage["type"]>(type: Type): Extract<ServerMessage, { type: Type }>[];
  /** Says hello and waits for the welcome. */
  open(hello?: object): Promise<void>;
}

/** A socket to a node's gateway, on the node's clock. */
export function createTestClient(
  world: Pick<World, "gateway" | "clock">,
  upgrade: UpgradeCredentials = {},
  address = "127.0.0.1",
): TestClient {
  let events: ServerSocketEvents | undefined;
  let unsentBytes = 0;
  const client = {
    received: [] as ServerMessage[],
    closed: undefined as { code: number; reason: string } | undefined,
    isPaused: false,
    stalled: false,
    frames: 0,
    weather: [] as string[],
    get unsentBytes() {
      return unsentBytes;
    },
    send: (...messages: object[]) => client.sendText(JSON.stringify(messages)),
    sendText: (text: string) => events?.text(text, Buffer.byteLength(text)),
    drain: () => {
      unsentBytes = 0;
      client.stalled = false;
      events?.drained();
    },
    drop: (code = 1006, reason = "") => {
      client.closed ??= { code, reason };
      events?.closed(code, reason);
    },
    of: <Type extends ServerMessage["type"]>(type: Type) =>
      client.received.filter((message): message is Extract<ServerMessage, { type: Type }> => message.type === type),
    open: async (hello = {}) => {
      client.send(makeHello(hello));
      await world.clock.advance(10);
    },
  };
  events = world.gateway.accept(
    {
      write: (frame) => {
        client.frames += 1;
        if (client.stalled) unsentBytes += frame.length;
        client.received.push(...(JSON.parse(textOf(frame)) as ServerMessage[]));
      },
      get unsentBytes() {
        return unsentBytes;
      },
      close: (code, reason) => {
        client.closed ??= { code, reason };
      },
      terminate: () => events?.closed(1006, ""),
      pause: () => {
        client.isPaused = true;
      },
      resume: () => {
        client.isPaused = false;
      },
      disturb: (weather) => void client.weather.push(weather),
    },
    upgrade,
    address,
  );
  return client;
}

export function makeHello(extras: object = {}): object {
  return {
    type: "hello",
    protocol: 1,
    instance: randomUUID(),
    attempt: 1,
    client: { name: "test", version: "1" },
    visible: true,
    ...extras,
  };
}

function textOf(frame: Uint8Array): string {
  const length = frame[1] ?? 0;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  return Buffer.from(frame.buffer, frame.byteOffset + header, frame.length - header).toString();
}
