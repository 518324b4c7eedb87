/**
 * What a store must do, told a second time: streams, stored answers, producers and agents as plain maps.
 *
 * It shares no code with any store, knows no SQL and no transaction: a batch is applied operation by operation,
 * and what an operation appended counts only if it succeeded. Epochs are random, so the model learns each from
 * the store, and insists that it changes exactly when a renewal was due.
 */
import { limits, uuidv7TimeMs } from "@holdfast/protocol";
import type { Operation } from "../../../src/store/port.ts";

/** An outcome without texts and refs, which are each implementation's own. */
export type Verdict =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly reason?: unknown; readonly expected?: unknown };

export interface ModelEvent {
  readonly event: string;
  readonly data: unknown;
  readonly keyframe?: string;
}

export interface ModelStream {
  epoch: string | undefined;
  acknowledged: number;
  readonly events: ModelEvent[];
}

export interface Rejected {
  readonly sequence: number;
  readonly code: string;
}

interface Producer {
  sequence: number;
  rejected: Rejected[];
}

interface Stored {
  readonly hash: string;
  readonly verdict: Verdict;
}

/** Everything of one workspace. */
export interface World {
  readonly streams: Map<string, ModelStream>;
  readonly items: Map<string, string>;
  readonly answers: Map<string, Stored>;
  readonly producers: Map<string, Producer>;
  readonly processes: Map<string, Map<string, number>>;
  readonly claims: Set<string>;
}

export const newWorld = (): World => ({
  streams: new Map(),
  items: new Map(),
  answers: new Map(),
  producers: new Map(),
  processes: new Map(),
  claims: new Set(),
});

interface Batch {
  readonly world: World;
  readonly now: number;
  /** Appended so far, in order; they join their streams when all operations are through. */
  readonly appended: { readonly stream: string; readonly event: ModelEvent }[];
}

/** Applies a batch; the verdicts in its order. */
export function apply(world: World, operations: readonly Operation[], now: number): Verdict[] {
  const batch: Batch = { world, now, appended: [] };
  const verdicts = operations.map((operation) => one(batch, operation));
  for (const { stream, event } of batch.appended) streamOf(world, stream).events.push(event);
  return verdicts;
}

export function recordOf(world: World, stream: string, producer: string): Producer {
  return world.producers.get(`${stream} ${producer}`) ?? { sequence: 0, rejected: [] };
}

function streamOf(world: World, stream: string): ModelStream {
  const known = world.streams.get(stream) ?? { epoch: undefined, acknowledged: 0, events: [] };
  world.streams.set(stream, known);
  return known;
}

const fine = (value: unknown): Verdict => ({ ok: true, value });
const refused = (code: string, extras: { reason?: string; expected?: number } = {}): Verdict => ({
  ok: false,
  code,
  ...extras,
});
const dataOf = (data: unknown): unknown => JSON.parse(JSON.stringify(data ?? null));
const isTooLarge = (data: unknown): boolean => Buffer.byteLength(JSON.stringify(data ?? null)) > limits.eventBytesMax;

function one(batch: Batch, operation: Operation): Verdict {
  const { world } = batch;
  switch (operation.kind) {
    case "request":
      return request(batch, operation);
    case "publish":
      return publish(batch, operation);
    case "append": {
      if (operation.events.some(({ data }) => isTooLarge(data))) return refused("too_large");
      streamOf(world, operation.stream);
      for (const event of operation.events)
        batch.appended.push({ stream: operation.stream, event: { ...event, data: dataOf(event.data) } });
      return fine(null);
    }
    case "task":
      return task(batch, operation.task, operation.input);
    case "ack": {
      const stream = world.streams.get(operation.stream);
      const { epoch, offset } = operation.cursor;
      // The head is the durable one: what this batch appends, nobody can have received.
      if (stream !== undefined && stream.epoch === epoch && offset <= stream.events.length)
        stream.acknowledged = Math.max(stream.acknowledged, offset);
      return fine(null);
    }
    case "renew": {
      const stream = world.streams.get(operation.stream);
      if (stream !== undefined && stream.epoch === operation.epoch) {
        stream.epoch = undefined;
        stream.acknowledged = 0;
      }
      return fine(null);
    }
    case "agentHello": {
      const { name, process } = operation.hello.hello;
      streamOf(world, `inbox/${name}`);
      const known = world.processes.get(name) ?? new Map<string, number>();
      world.processes.set(name, known);
      const generation = known.get(process) ?? known.size + 1;
      known.set(process, generation);
      return fine({ identity: { id: name, name, generation }, inbox: `inbox/${name}` });
    }
    default:
      throw new TypeError(`the model knows no ${operation.kind}`);
  }
}

function task(batch: Batch, name: string, input: unknown): Verdict {
  if (name !== "contract.tell") return refused("internal");
  const { to, texts } = input as { to: string; texts: readonly string[] };
  for (const text of texts)
    batch.appended.push({ stream: `inbox/${to}`, event: { event: "told", data: dataOf({ text }) } });
  return fine({ told: texts.length });
}

type Request = Extract<Operation, { kind: "request" }>;

function request(batch: Batch, operation: Request): Verdict {
  const { answers } = batch.world;
  const keyOf = (id: string): string => `${operation.caller.id} ${id}`;
  const stored = answers.get(keyOf(operation.id));
  if (stored !== undefined)
    return stored.hash === operation.hash ? stored.verdict : refused("conflict", { reason: "reused" });
  const verdict = decide(batch, operation, operation.after === undefined ? undefined : keyOf(operation.after));
  const isFinal = verdict.ok || (verdict.code !== "internal" && verdict.reason !== "after");
  if (isFinal) answers.set(keyOf(operation.id), { hash: operation.hash, verdict });
  return verdict;
}

function decide({ world, now, appended }: Batch, operation: Request, after: string | undefined): Verdict {
  const madeAt = uuidv7TimeMs(operation.id) ?? 0;
  if (madeAt < now - limits.requestIdAgeMsMax || madeAt > now + limits.requestIdAheadMsMax) return refused("expired");
  if (after !== undefined) {
    const earlier = world.answers.get(after);
    if (earlier === undefined) return refused("conflict", { reason: "after" });
    if (!earlier.verdict.ok) return refused("conflict", { reason: "after_failed" });
  }
  const { id, value, ending } = operation.params as { id: string; value: string; ending?: string };
  if (ending === "refuse") return refused("conflict");
  if (ending !== undefined) return refused("internal");
  world.items.set(id, value);
  appended.push({ stream: "items", event: { event: "item.put", data: dataOf({ id, value }) } });
  return fine({ id, value });
}

type Publish = Extract<Operation, { kind: "publish" }>;

function publish(batch: Batch, operation: Publish): Verdict {
  const { world, appended } = batch;
  const { stream, caller, generation, sequence, events } = operation;
  const isFenced = generation !== undefined && generation !== (world.processes.get(caller.id)?.size ?? 0);
  const record = recordOf(world, stream, operation.producer);
  if (events.length > 0 && sequence < 1) return refused("bad_message");
  if (isFenced) return refused("fenced");
  if (events.length === 0) return fine(record);
  if (sequence > record.sequence + 1) return refused("sequence_gap", { expected: record.sequence + 1 });

  const fresh = Math.max(0, record.sequence + 1 - sequence);
  const rejected = record.rejected.filter((known) => known.sequence >= sequence);
  let decided = Math.max(record.sequence, sequence - 1);
  const added: Rejected[] = [];
  for (const event of events.slice(fresh)) {
    decided += 1;
    const code = wrong(world, event);
    if (code === undefined) appended.push({ stream, event: loggedOf(event) });
    else added.push({ sequence: decided, code });
  }
  world.producers.set(`${stream} ${operation.producer}`, {
    sequence: decided,
    rejected: [...record.rejected, ...added],
  });
  return fine({ sequence: decided, rejected: [...rejected, ...added] });
}

function wrong(world: World, event: unknown): string | undefined {
  const { event: name, data } = event as { event?: unknown; data?: unknown };
  if (typeof name !== "string") return "bad_message";
  if (isTooLarge(data)) return "too_large";
  if (name === "poison") return "invalid_params";
  if (name !== "claim") return undefined;
  const command = String((data as { command?: unknown } | null)?.command);
  if (world.claims.has(command)) return "conflict";
  world.claims.add(command);
  return undefined;
}

function loggedOf(event: unknown): ModelEvent {
  const { event: name, data, keyframe } = event as { event: string; data?: unknown; keyframe?: string };
  return { event: name, data: dataOf(data), ...(keyframe === undefined ? {} : { keyframe }) };
}
