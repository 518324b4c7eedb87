/** What the store's contract asks of whoever wants to be tried with it. */
import { randomBytes, randomUUID } from "node:crypto";
import { uuidv7 } from "@holdfast/protocol";
import type { Principal } from "../../../src/plugin.ts";
import type { EncodedRun, Operation, Outcome, Store } from "../../../src/store/port.ts";

/** A store that the contract is tried with: it must run the app of `contractApp.ts`, and may hold data already. */
export interface StoreImplementation {
  readonly name: string;
  /** Opens it, once for all trials: each has a workspace of its own. Its clock is the platform's. */
  open(): Promise<Store>;
}

export const contractApp = new URL("./contractApp.ts", import.meta.url);

/** One trial: a workspace that nobody has used, and who acts in it. */
export interface Trial {
  readonly store: Store;
  readonly workspace: string;
  person(id: string): Principal;
}

export function newTrial(store: Store): Trial {
  const workspace = `trial-${randomUUID()}`;
  return {
    store,
    workspace,
    person: (id) => ({ kind: "person", id, name: id, role: "admin", workspace, temporary: false }),
  };
}

/** A request's id, made `aheadMs` from now by the store's clock. */
export const newId = (aheadMs = 0): string => uuidv7(Date.now() + aheadMs, randomBytes(10));

/** What was told of an event. */
export interface ReadEvent {
  readonly event: string;
  readonly at: number;
  readonly data: unknown;
  readonly keyframe?: string;
  readonly offset?: number;
  readonly through?: number;
}

export function eventsOf(run: EncodedRun): ReadEvent[] {
  const texts = run.pieces.map(({ bytes }) => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  return texts.flatMap((text) => JSON.parse(`[${text}]`) as ReadEvent[]);
}

export async function readAll({ store, workspace }: Trial, stream: string): Promise<ReadEvent[]> {
  const all: ReadEvent[] = [];
  for (;;) {
    const run = await store.read(workspace, stream, all.length, 500, 256 * 1024);
    if (run.pieces.length === 0) return all;
    all.push(...eventsOf(run));
  }
}

/** Commits one operation alone. */
export async function commitOne({ store }: Trial, operation: Operation): Promise<Outcome> {
  const { outcomes } = await store.commit([operation]);
  const [outcome] = outcomes;
  if (outcome === undefined || outcomes.length !== 1) throw new Error(`${outcomes.length} outcomes of one operation`);
  return outcome;
}

export const codeOf = (outcome: Outcome | undefined): string =>
  outcome === undefined ? "none" : outcome.ok ? "ok" : outcome.error.code;

/** A put of the contract's app. */
export function put(
  { person }: Trial,
  value: string,
  extras: {
    readonly id?: string;
    readonly hash?: string;
    readonly by?: string;
    readonly after?: string;
    readonly deadline?: number;
    readonly ending?: "refuse" | "break" | "sql" | "swallow";
  } = {},
): Operation {
  const { id = newId(), by = "ada", hash = value, ending, ...rest } = extras;
  return {
    kind: "request",
    caller: person(by),
    id,
    method: "item.put",
    params: { id: `item-${value}`, value, ...(ending === undefined ? {} : { ending }) },
    hash,
    ...rest,
  };
}

/** A publish of lines. */
export function publish(
  { person }: Trial,
  place: { readonly stream?: string; readonly producer: string; readonly by?: string; readonly generation?: number },
  sequence: number,
  events: readonly unknown[],
): Operation {
  const { stream = "log/a", producer, by = "ada", generation } = place;
  return {
    kind: "publish",
    caller: person(by),
    stream,
    producer,
    sequence,
    events,
    ...(generation === undefined ? {} : { generation }),
  };
}

export const line = (text: string): { event: string; data: { text: string } } => ({ event: "line", data: { text } });

export function hello({ workspace }: Trial, name: string, process: string): Operation {
  const caller: Principal = { kind: "agent", id: name, name, role: "agent", workspace, temporary: false };
  const said = { name, kind: "shell", host: "here", capabilities: [], process, open: [] };
  return {
    kind: "agentHello",
    workspace,
    hello: { caller, hello: said, instance: process, attempt: 1, connection: `connection of ${process}`, open: true },
  };
}
