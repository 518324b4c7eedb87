/**
 * One node: the rooms between a store and its connections, wired, without a port to listen on.
 *
 * Life cycle: made over an open store → `start` (what the app does before its first connection) → sockets are
 * given to `gateway` → `stop`, in the order of CL-9, once. `createServer` puts HTTP in front of it, the simulation
 * a network of its own: both run this wiring. Invariant: all time and chance come from the given ports. It
 * deliberately opens no store and closes none: who opened it does.
 */
import { type Clock, limits, ProtocolError, type Random, uuidv7 } from "@holdfast/protocol";
import { createAdmission } from "./admission/admission.ts";
import { guardStore } from "./admission/guardedStore.ts";
import { type AdmissionLimits, admissionLimitsOf } from "./admission/limits.ts";
import { outageReason } from "./admission/storeHealth.ts";
import type { Authenticator } from "./auth/verdict.ts";
import type { ConnectionLimits } from "./connectionLimits.ts";
import type { Faults } from "./faults/faults.ts";
import { type FeatureFlags, withoutFlags } from "./flags/features.ts";
import type { GatewayContext } from "./gateway/context.ts";
import { decodeTextFrame, encodeTextFrame } from "./gateway/frame.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { createOccupants } from "./gateway/occupants.ts";
import { createOpenings } from "./gateway/openings.ts";
import { relaySignals } from "./gateway/signalRelay.ts";
import { createSignalBoard } from "./gateway/signals.ts";
import type { AnyMethod } from "./methods/nodeMethod.ts";
import type { Mode } from "./mode.ts";
import { noticesStream, noticesWorkspace } from "./nodes/notice.ts";
import { createNoticeReader } from "./nodes/noticeReader.ts";
import { obeyNotice } from "./nodes/obedience.ts";
import { readStanding } from "./nodes/standingNotices.ts";
import { type Alert, alertsOf } from "./observe/alertRules.ts";
import { auditStream } from "./observe/audit.ts";
import { diagnosticsMethod, endedLately } from "./observe/diagnostics.ts";
import { createFailureSpan } from "./observe/failureSpan.ts";
import { createFoldedLog } from "./observe/foldedLog.ts";
import { createLentLevels } from "./observe/lentLevels.ts";
import type { Log } from "./observe/log.ts";
import { type Observer, silentObserver } from "./observe/observer.ts";
import { createRecords } from "./observe/records.ts";
import { keepRecordsTask, plugin as recordsPlugin } from "./observe/recordsPlugin.ts";
import { createRefusedDeeds } from "./observe/refusedDeeds.ts";
import type { LeadingTask, Method, Plugin, PluginRuntime, StreamFamily } from "./plugin.ts";
import { defaultLifetimes, type Lifetimes } from "./store/lifetimes.ts";
import type { Store } from "./store/port.ts";
import { type Retention, startRetention, storeFigures } from "./store/retention.ts";
import { shareReads } from "./store/sharedReads.ts";
import type { Bus } from "./streams/bus.ts";
import { createCommitter, type Waiting } from "./streams/committer.ts";
import { createHub } from "./streams/hub.ts";

const drainMsMax = 5_000;
/** AD-3: of the key that slots are signed with. */
const slotKeyPurpose = "holdfast promised slots";
const workspaceByDefault = "default";
const heartbeat = { interval: limits.heartbeatIntervalMs, timeout: limits.heartbeatTimeoutMs };

/** Runs one of the plugins' tasks in a transaction of its own. Rejects where the store does not answer. */
export type RunTask = (task: string, input: unknown, workspace?: string) => Promise<unknown>;

export interface NodeParts<Judge extends Authenticator> {
  readonly app: Plugin;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly mode: Mode;
  readonly limits: ConnectionLimits;
  /** Section 10 of the protocol; its defaults where absent. */
  readonly admission?: AdmissionLimits;
  /** Names the store in the log: its kind, and its file or its host and port (AD-4). */
  readonly place?: Readonly<Record<string, string | number>>;
  /** How long events and answers are kept; the defaults of the table where absent. */
  readonly lifetimes?: Lifetimes;
  /** Methods and streams besides the app's, of plugins that the store has too; none where absent. */
  readonly moreMethods?: Readonly<Record<string, Method>>;
  readonly moreStreams?: readonly StreamFamily[];
  /** Makes faults that were asked for; nobody does where absent. */
  readonly faults?: Pick<Faults, "make">;
  /** Makes what judges credentials; it may keep its own things in the store. `log` is the node's own, which folds (I9). */
  readonly authenticator: (run: RunTask, log: Log) => Promise<Judge>;
  /** Who may use what; the defaults where absent. */
  readonly flags?: FeatureFlags;
  /** To and from other nodes on the same store; absent where there is none. */
  readonly bus?: Bus;
  /** Who measures; nobody where absent. */
  readonly observer?: Observer;
  /** p99 of the delay of this thread's loop, ms; absent where nobody measures it. */
  readonly loopDelayMs?: () => number;
  /** Whether ended connections are kept in the store, which then has `observe/recordsPlugin.ts`. */
  readonly keepsRecords?: boolean;
}

export interface Node<Judge extends Authenticator = Authenticator> {
  readonly gateway: Gateway;
  readonly context: GatewayContext;
  /** What is wrong now, the worst first. */
  problems(): readonly Alert[];
  /** All that can be asked for: the app's, and the node's own. */
  readonly methods: Readonly<Record<string, AnyMethod>>;
  readonly authenticator: Judge;
  readonly retention: Pick<Retention, "figures">;
  /** What the app does before the first connection. Rejects where the store does not answer. */
  start(): Promise<void>;
  /** CL-9: `bye` to all, what was accepted is finished; afterwards no timer is left. */
  stop(): Promise<void>;
}

export async function createNode<Judge extends Authenticator>(parts: NodeParts<Judge>): Promise<Node<Judge>> {
  const { app, clock, random, mode, bus, observer = silentObserver } = parts;
  const { admission: admissionLimits = admissionLimitsOf({}, parts.limits), place = { store: "unnamed" } } = parts;
  const failing = createFailureSpan();
  const guarded = guardStore({
    store: parts.store,
    limits: admissionLimits,
    place,
    clock,
    log: parts.log,
    observer: {
      ...observer,
      store(operation, ms, error, operations) {
        observer.store(operation, ms, error, operations);
        if (error !== undefined) failing.failed(clock.monotonic());
      },
    },
  });
  const { health } = guarded;
  const log = createFoldedLog({
    log: parts.log,
    clock,
    infoLinesMax: admissionLimits.logLinesPerMinuteMax,
    // AD-4: while the store is down one line tells it, and no consequence of it does.
    isTold: (error) => health.degraded !== undefined && error instanceof ProtocolError && error.code === outageReason,
  });
  const store: Store = { ...guarded.store, ...shareReads(guarded.store) };
  limits.assertHeartbeat(heartbeat, limits.heartbeatIntervalMs + limits.heartbeatTimeoutMs);
  const hub = createHub({ store, clock, log, encode: encodeTextFrame, health, ...(bus === undefined ? {} : { bus }) });
  // Empty while credentials' keys are made: these commit before there is anybody to lead.
  const runtimes: PluginRuntime[] = [];
  const committer = createCommitter({
    store,
    clock,
    log,
    retryAfter: () => health.retryAfter(),
    deliver: (appended) => hub.deliver(appended),
    leading: () => runtimes.flatMap((runtime) => operationOf(runtime.leads?.())),
  });
  const run: RunTask = (task, input, workspace = workspaceByDefault) =>
    committer.run({ kind: "task", workspace, task, input });
  const authenticator = observed(await parts.authenticator(run, log), observer);
  const levels = createLentLevels(clock, parts.log);
  const name = uuidv7(clock.now(), random.bytes(10));
  const shared = bus === undefined ? {} : { shared: { node: name } };
  if (app.start !== undefined) runtimes.push(app.start({ clock, log, run, ...shared }));
  const openings = createOpenings(clock, log, health);
  health.countWaiting(() => openings.waiting);
  const key = authenticator.deriveKey?.(slotKeyPurpose);
  const admission = createAdmission({ limits: admissionLimits, clock, random, ...(key === undefined ? {} : { key }) });
  const problems = (): readonly Alert[] =>
    alertsOf({
      now: clock.now(),
      storeDownSince: health.degraded?.since,
      storeFailingMs: failing.lengthAt(clock.monotonic()),
      stormFactor: records.stormFactor(),
      loopDelayMs: parts.loopDelayMs?.(),
      lately: endedLately(records.recent, clock.now()),
    });
  const records = createRecords({
    clock,
    ...(parts.keepsRecords === true && { write: (kept) => run(keepRecordsTask, kept) }),
  });
  const diagnostics = diagnosticsMethod({
    node: name,
    now: () => clock.now(),
    recent: records.recent,
    health,
    connections: () => gateway.connections.size,
    deliveries: () => hub.deliveries,
    stormFactor: () => records.stormFactor(),
    retriesIgnored: () => admission.retriesIgnored,
    store: () => storeFigures(retention.figures),
    problems,
  });
  const methods = { ...app.methods, ...parts.moreMethods, "diagnostics.get": diagnostics };
  const families = [
    ...app.streams,
    ...(parts.keepsRecords === true ? recordsPlugin.streams : []),
    ...(parts.moreStreams ?? []),
  ];
  const board = createSignalBoard();
  const relay = bus === undefined ? undefined : relaySignals({ board, bus, clock });
  const context: GatewayContext = {
    clock,
    random,
    log,
    observer,
    records,
    mode,
    features: (parts.flags ?? withoutFlags).of,
    node: name,
    heartbeat,
    limits: parts.limits,
    authenticator,
    admission,
    admissionLimits,
    health,
    store,
    committer,
    refusedDeeds: createRefusedDeeds({
      clock,
      log,
      write: (workspace, entry) => committer.run({ kind: "append", workspace, stream: auditStream, events: [entry] }),
    }),
    hub,
    openings,
    signals: relay ?? board,
    occupants: createOccupants(parts.limits.connectionsPerPrincipal),
    ...lookups(methods, families),
    runtimes,
  };
  const gateway = createGateway(context);
  const notices = createNoticeReader({
    hub,
    clock,
    textOf: decodeTextFrame,
    // They are levels of the log, and where it has one level for ever there is nothing to look for.
    standing: async (place) => (levels === undefined ? [] : readStanding(store, place)),
    open: () => committer.run({ kind: "append", workspace: noticesWorkspace, stream: noticesStream, events: [] }),
    hear: (notice) =>
      obeyNotice({ ...context, ...(levels && { levels }), ...(parts.faults && { faults: parts.faults }) }, notice),
  });
  const retention = startRetention({ store, clock, log, lifetimes: parts.lifetimes ?? defaultLifetimes });
  return {
    gateway,
    context,
    problems,
    methods,
    authenticator,
    retention,
    async start() {
      // Before anybody is judged: what is told from now on is heard (AU-9).
      await notices.start();
      for (const runtime of runtimes) await runtime.started();
    },
    async stop() {
      await gateway.drain(drainMsMax);
      await records.stop();
      await committer.idle();
      for (const runtime of runtimes) runtime.stopped();
      retention.stop();
      openings.stop();
      notices.stop();
      levels?.stop();
      relay?.stop();
      hub.stop();
      admission.stop();
      health.stop();
      log.stop();
    },
  };
}

/** The same, and every verdict is counted. */
function observed<Judge extends Authenticator>(authenticator: Judge, observer: Observer): Judge {
  const { verify } = authenticator;
  return {
    ...authenticator,
    async verify(credentials) {
      const verdict = await verify(credentials);
      observer.verified(authenticator.issuerOf?.(credentials) ?? "app", verdict.kind);
      return verdict;
    },
  };
}

function operationOf(leading: LeadingTask | undefined): readonly Waiting[] {
  if (leading === undefined) return [];
  const { task, input, workspace, done } = leading;
  return [
    {
      operation: { kind: "task", workspace, task, input },
      done: (outcome) => void (outcome.ok && done(outcome.value)),
    },
  ];
}

/** What is declared, found by name. */
function lookups(
  methods: Readonly<Record<string, AnyMethod>>,
  families: readonly StreamFamily[],
): Pick<GatewayContext, "method" | "family"> {
  const named = new Map(Object.entries(methods));
  const whole = new Map(families.filter(({ name }) => !name.endsWith("/")).map((family) => [family.name, family]));
  const prefixed = families.filter(({ name }) => name.endsWith("/"));
  return {
    method: (name) => named.get(name),
    family: (stream) => whole.get(stream) ?? prefixed.find(({ name }) => stream.startsWith(name)),
  };
}
