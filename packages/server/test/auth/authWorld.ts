/** Sign-in over a real engine in memory, with a clock, a store and a log that the test holds. */
import { createHash } from "node:crypto";
import { ProtocolError, type Random } from "@holdfast/protocol";
import { plugin as authPlugin } from "../../src/auth/plugin.ts";
import { type Auth, createAuth } from "../../src/auth/service.ts";

import type { Log } from "../../src/observe/log.ts";
import type { Mode } from "../../src/options.ts";
import type { Engine } from "../../src/store/engine.ts";
import { openEngine } from "../support/engine.ts";
import { createSimClock, type SimClock } from "../support/simClock.ts";

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

export interface AuthWorld {
  readonly auth: Auth;
  readonly clock: SimClock;
  readonly random: Random;
  readonly log: LogLine[];
  readonly logger: Log;
  /** The tasks that were run, in order. */
  readonly asked: string[];
  /** How the store behaves from now on. */
  store: "answers" | "fails" | "hangs";
  run(task: string, input: unknown): Promise<unknown>;
  /** Another node, or the same after a restart, on the same store. */
  again(mode?: Mode): Promise<Auth>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openAuth(mode: Mode = "local"): Promise<AuthWorld> {
  const clock = createSimClock();
  const random = makeRandom();
  const { engine, dialect } = await openEngine([authPlugin], () => clock.now());
  const { lines, log } = collectLog();
  const runTask = oneAtATime(engine);
  const asked: string[] = [];
  const world = {
    clock,
    random,
    log: lines,
    logger: log,
    asked,
    store: "answers" as AuthWorld["store"],
    run: (task: string, input: unknown): Promise<unknown> => {
      asked.push(task);
      if (world.store === "fails")
        return Promise.reject(new ProtocolError("store_unavailable", "the store is down, as asked"));
      if (world.store === "hangs") return new Promise(() => {});
      return runTask(task, input);
    },
    again: (other: Mode = mode) => createAuth({ run: world.run, mode: other, clock, random, log }),
    [Symbol.asyncDispose]: () => dialect.close(),
  };
  return Object.assign(world, { auth: await world.again() });
}

/** Random numbers that are the same in every run. */
export function makeRandom(): Random {
  let count = 0;
  const block = (): Buffer => createHash("sha256").update(`random ${count++}`).digest();
  return {
    fraction: () => block().readUInt32BE() / 2 ** 32,
    bytes: (length) => {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, block);
      return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
    },
  };
}

export function collectLog(): { lines: LogLine[]; log: Log } {
  const lines: LogLine[] = [];
  const at = (level: string) => (event: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ level, event, fields });
  return { lines, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

/** The engine has one connection: a task begins when the one before has ended. */
function oneAtATime(engine: Engine): (task: string, input: unknown) => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const runNow = async (task: string, input: unknown): Promise<unknown> => {
    // As through the worker's port: a copy, or a failure to copy.
    const copy: unknown = structuredClone(input);
    const { outcomes, faults } = await engine.commit([{ kind: "task", workspace: "default", task, input: copy }]);
    if (faults[0] !== undefined) throw faults[0].error;
    const [outcome] = outcomes;
    if (outcome === undefined || !outcome.ok)
      throw outcome === undefined ? new TypeError("no outcome") : ProtocolError.fromBody(outcome.error);
    return structuredClone(outcome.value);
  };
  return (task, input) => {
    const next = last.then(() => runNow(task, input));
    last = next.catch(() => undefined);
    return next;
  };
}
