/**
 * The engine of the store: runs a batch of operations in one transaction, each in a savepoint of its own.
 *
 * Life cycle of a batch: begin → each operation (its effects and its stored answer) → heads and events of
 * everything appended, last, so that heads are locked for the append only → commit. Invariants: an
 * operation that fails undoes only itself; a failure of the database undoes the whole batch and answers
 * nothing; an event's time is the batch's. The engine knows no thread and no dialect.
 */
import { randomUUID } from "node:crypto";
import { type Clock, createMonotonicIds, limits, ProtocolError, type Random } from "@holdfast/protocol";
import { noticesStream, noticesWorkspace } from "../nodes/notice.ts";
import { auditStream, type Deed, deedOf } from "../observe/audit.ts";
import type { Method, NewEvent, Plugin, Principal, ReadTransaction, Transaction } from "../plugin.ts";
import type { Dialect, PendingEvent } from "./dialect.ts";
import { joinedEvents } from "./encodedEvent.ts";
import { createLogReader } from "./logReader.ts";
import type { BatchResult, EncodedRun, EventRun, Fault, Operation, Outcome, StreamSnapshot } from "./port.ts";
import { writeProbe } from "./probe.ts";
import { type Judge, publish } from "./publishes.ts";
import type { RetainParts } from "./removeEvents.ts";
import { type Answering, answer } from "./requests.ts";
import { retain } from "./retain.ts";
import { toRun } from "./runs.ts";

export interface EngineOptions {
  readonly dialect: Dialect;
  readonly plugins: readonly Plugin[];
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "bytes">;
}

export interface Engine {
  commit(batch: readonly Operation[]): Promise<BatchResult>;
  query(caller: Principal, method: string, params: unknown): Promise<{ outcome: Outcome; faults: readonly Fault[] }>;
  snapshot(workspace: string, stream: string): Promise<StreamSnapshot | null>;
  read(
    workspace: string,
    stream: string,
    offset: number,
    eventsMax: number,
    bytesMax: number,
    rollUp?: boolean,
  ): Promise<EventRun>;
  /** The same as pieces of about a frame: {@link Store.read}. */
  readEncoded(...place: Parameters<Engine["read"]>): Promise<EncodedRun>;
}

export function createEngine(options: EngineOptions): Engine {
  const { dialect, plugins, clock, random } = options;
  const app = index(plugins);
  const makeId = createMonotonicIds((count) => random.bytes(count));
  const newEpoch = (): string => makeId(clock.now());

  /** One transaction's view for handlers; `appends` is cut back when its operation is undone. */
  const transaction = (
    workspace: string,
    now: number,
    appends: PendingEvent[],
    opens: Promise<void>[],
  ): Transaction => ({
    ...reading(dialect, workspace, now),
    newId: () => makeId(now),
    randomBytes: (count) => random.bytes(count),
    append: (stream, event) => void appends.push(pendingEvent(workspace, stream, event, now)),
    open: (stream) => void opens.push(dialect.open(workspace, stream, newEpoch)),
    tellNodes: ({ kind, ...data }) =>
      void appends.push(pendingEvent(noticesWorkspace, noticesStream, { event: kind, data }, now)),
  });

  const run = async (
    operation: Operation,
    now: number,
    appends: PendingEvent[],
    attempt: Attempt,
  ): Promise<unknown> => {
    const opens: Promise<void>[] = [];
    const view = (workspace: string): Transaction => transaction(workspace, now, appends, opens);
    const done = await Promise.allSettled([perform(operation, attempt, now, view, app, dialect, newEpoch)]);
    // Also where the handler failed: a rejection that nobody awaits would end the thread.
    const opened = await Promise.allSettled(opens);
    const [failed] = [...done, ...opened].filter((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return done[0].status === "fulfilled" ? done[0].value : undefined;
  };

  const engine: Engine = {
    async commit(batch) {
      const now = clock.now();
      const appends: PendingEvent[] = [];
      const faults: Fault[] = [];
      const outcomes: Outcome[] = [];
      await dialect.begin(true);
      try {
        for (const operation of batch) {
          const mark = appends.length;
          const attempt: Attempt = {};
          await dialect.savepoint();
          try {
            const value = await run(operation, now, appends, attempt);
            await dialect.release();
            outcomes.push({ ok: true, value });
          } catch (error) {
            if (dialect.isFatal(error)) throw error;
            appends.length = mark;
            await dialect.rollbackToSavepoint();
            const outcome = failure(error, operation, faults);
            if (operation.kind === "request") {
              await answer.keepError(answeringOf(dialect, operation, now), outcome.error);
              const entry = outcome.error.retryable ? undefined : attempt.deed?.refused(outcome.error.code);
              if (entry !== undefined) appends.push(pendingEvent(operation.caller.workspace, auditStream, entry, now));
            }
            outcomes.push(outcome);
          }
        }
        const appended = await dialect.append(appends, newEpoch);
        await dialect.commit();
        return { outcomes, appended, faults };
      } catch (error) {
        await dialect.rollback();
        throw error;
      }
    },

    async query(caller, method, params) {
      const faults: Fault[] = [];
      await dialect.begin(false);
      try {
        const found = app.method(method);
        const view = transaction(caller.workspace, clock.now(), refuseAppends(), []);
        return { outcome: { ok: true, value: await found.handle(view, params as never, caller) }, faults };
      } catch (error) {
        if (dialect.isFatal(error)) throw error;
        return { outcome: failure(error, { kind: "request", method }, faults), faults };
      } finally {
        await dialect.rollback();
      }
    },

    async read(workspace, stream, offset, eventsMax, bytesMax, rollUp = true) {
      // One transaction, so that rows and head are of one moment.
      await dialect.begin(false);
      try {
        const rows = await dialect.read(workspace, stream, offset, eventsMax, bytesMax);
        return toRun(offset, rows, rollUp ? app.family(stream)?.rollUp : undefined);
      } finally {
        await dialect.rollback();
      }
    },

    async readEncoded(workspace, stream, offset, eventsMax, bytesMax, rollUp = true) {
      if (!rollUp || app.family(stream)?.rollUp === undefined) {
        const bounds = { eventsMax, bytesMax, pieceBytesMax: limits.frameTargetBytes };
        await dialect.begin(false);
        try {
          const pieces = await dialect.readPieces(workspace, stream, offset, bounds);
          if (pieces !== undefined) return { offset: offset + 1, pieces, beginsRemoved: false };
        } finally {
          await dialect.rollback();
        }
      }
      const run = await engine.read(workspace, stream, offset, eventsMax, bytesMax, rollUp);
      const [first] = run.events;
      const beginsRemoved = first?.event === "skipped" && first.range?.offset === run.offset;
      return { offset: run.offset, pieces: joinedEvents(run.events, limits.frameTargetBytes), beginsRemoved };
    },

    async snapshot(workspace, stream) {
      await dialect.begin(false);
      try {
        const position = await dialect.position(workspace, stream);
        if (position === null) return null;
        const read = app.family(stream)?.snapshot;
        const view = reading(dialect, workspace, clock.now());
        return { position, data: read === undefined ? null : await read(view, stream) };
      } finally {
        await dialect.rollback();
      }
    },
  };
  return engine;
}

/** The plugins' declarations, found by name. A name declared twice is a programmer's error (F36). */
function index(plugins: readonly Plugin[]) {
  const methods = new Map(unique(plugins.flatMap((plugin) => Object.entries(plugin.methods))));
  for (const [name, method] of methods) requireNothingSecret(name, method);
  const tasks = new Map(unique(plugins.flatMap((plugin) => Object.entries(plugin.tasks))));
  const families = plugins.flatMap((plugin) => plugin.streams);
  const agents = plugins.flatMap((plugin) => plugin.agents ?? []);
  return {
    agents: () => {
      const [hooks] = agents;
      if (hooks === undefined) throw new ProtocolError("forbidden", "this server takes no agents");
      return hooks;
    },
    method: (name: string) => found(methods.get(name), "method", name),
    task: (name: string) => found(tasks.get(name), "task", name),
    family: (stream: string) =>
      families.find((family) => (family.name.endsWith("/") ? stream.startsWith(family.name) : stream === family.name)),
  };
}
export type AppIndex = ReturnType<typeof index>;

function unique<Value>(entries: [string, Value][]): [string, Value][] {
  const names = new Set<string>();
  for (const [name] of entries) {
    if (names.has(name)) throw new TypeError(`"${name}" is declared twice`);
    names.add(name);
  }
  return entries;
}

/** What is told once is not told to every admin for a year. */
function requireNothingSecret(name: string, { secret = [], audited }: Method): void {
  const [both] = secret.filter((field) => audited?.told?.includes(field));
  if (both !== undefined) throw new TypeError(`"${name}": "${both}" is secret and must not be told in the audit`);
}

function found<Value>(value: Value | undefined, what: string, name: string): Value {
  if (value === undefined) throw new ProtocolError("not_found", `there is no ${what} "${name}"`);
  return value;
}

/** One try of an operation, seen from outside of its savepoint. */
interface Attempt {
  /** Of a request that is audited and was not answered before. */
  deed?: Deed;
}

async function perform(
  operation: Operation,
  attempt: Attempt,
  now: number,
  view: (workspace: string) => Transaction,
  app: AppIndex,
  dialect: Dialect,
  newEpoch: () => string,
): Promise<unknown> {
  switch (operation.kind) {
    case "request": {
      const tx = view(operation.caller.workspace);
      return answer.once(answeringOf(dialect, operation, tx.now), async () => {
        if (operation.refusal !== undefined) throw ProtocolError.fromBody(operation.refusal);
        const method = app.method(operation.method);
        const deed = await deedOf(tx, method, operation);
        if (deed !== undefined) attempt.deed = deed;
        const result = await method.handle(tx, operation.params as never, operation.caller);
        if (deed !== undefined) tx.append(auditStream, deed.done(result));
        return { result, stored: withoutSecrets(result, method.secret) };
      });
    }
    case "publish": {
      const tx = view(operation.caller.workspace);
      const judge: Judge | undefined = app.family(operation.stream)?.publish;
      return publish(dialect, tx, operation, judge);
    }
    case "append": {
      const tx = view(operation.workspace);
      tx.open(operation.stream);
      for (const event of operation.events) tx.append(operation.stream, event);
      return null;
    }
    case "task":
      return app.task(operation.task)(view(operation.workspace), operation.input as never);
    case "ack":
      if (operation.process !== undefined) {
        const isCurrent = await app.agents().isCurrent?.(view(operation.workspace), operation.process);
        if (isCurrent === false) return null;
      }
      await dialect.acknowledge(operation.workspace, operation.stream, operation.cursor.epoch, operation.cursor.offset);
      return null;
    case "retain":
      return retain(retainParts(dialect, app, now), operation.step);
    case "probe":
      return writeProbe(dialect.kysely, now);
    case "agentHello":
      return app.agents().hello(view(operation.workspace), operation.hello);
    case "renew": {
      await dialect.renewEpoch(operation.workspace, operation.stream, operation.epoch, newEpoch());
      return null;
    }
  }
}

function pendingEvent(
  workspace: string,
  stream: string,
  { event, data, keyframe }: NewEvent,
  at: number,
): PendingEvent {
  const json = JSON.stringify(data ?? null);
  const bytes = Buffer.byteLength(json);
  if (bytes > limits.eventBytesMax) {
    throw new ProtocolError("too_large", `${event} would have ${bytes} bytes, more than ${limits.eventBytesMax}`, {
      details: { limitBytes: limits.eventBytesMax },
    });
  }
  return { workspace, stream, event, at, json, bytes, ...(keyframe === undefined ? {} : { keyframe }) };
}

/** What a handler reads with. */
function reading(dialect: Dialect, workspace: string, now: number): ReadTransaction {
  return { db: dialect.kysely, log: createLogReader(dialect.kysely, workspace), workspace, now };
}

function retainParts(dialect: Dialect, app: AppIndex, now: number): RetainParts {
  return {
    db: dialect.kysely,
    family: app.family,
    view: (workspace) => reading(dialect, workspace, now),
    trim: (workspace, stream, through) => dialect.trim(workspace, stream, through),
    diskBytes: () => dialect.diskBytes(),
    now,
  };
}

function answeringOf(dialect: Dialect, operation: Extract<Operation, { kind: "request" }>, now: number): Answering {
  return { db: dialect.kysely, now, operation };
}

/** Every failure becomes an outcome; one that no handler meant becomes `internal` with a `ref` into the log. */
function failure(
  error: unknown,
  operation: { kind: string; method?: string; task?: string; stream?: string },
  faults: Fault[],
): Extract<Outcome, { ok: false }> {
  if (error instanceof ProtocolError) return { ok: false, error: error.toBody() };
  const ref = randomUUID();
  const name = operation.method ?? operation.task ?? operation.stream ?? "";
  faults.push({ ref, operation: `${operation.kind} ${name}`.trim(), error });
  return {
    ok: false,
    error: new ProtocolError("internal", `${operation.kind} ${name} failed`, { details: { ref } }).toBody(),
  };
}

function refuseAppends(): PendingEvent[] {
  const refused: PendingEvent[] = [];
  refused.push = () => {
    throw new TypeError("a method of kind `read` must not append events");
  };
  return refused;
}

/** RQ-1: a stored answer holds no secret; who repeats the request gets the rest. */
function withoutSecrets(result: unknown, secret: readonly string[] | undefined): unknown {
  if (secret === undefined || typeof result !== "object" || result === null) return result;
  return Object.fromEntries(Object.entries(result).filter(([name]) => !secret.includes(name)));
}
