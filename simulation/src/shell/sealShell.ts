/**
 * Seals a worker: whatever the code under test takes from the platform behind its ports' backs is made visible.
 *
 * Chance that does not come from a port (`randomUUID` for the reference of a log line) comes from a stream of the
 * run's seed; the wall clock stands still; a timer of the platform throws. Errors that nobody caught are collected:
 * each is a crash in production (REL-I16). Invariant: it is set once a worker, and told of each run before it begins.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { type Dice, dice } from "../core/dice.ts";

export interface Seal {
  /** A run of this seed begins. Errors have stacks only where it is watched: making them is a tenth of a run. */
  begin(seed: number, isWatched: boolean): void;
  /** What nobody caught since. */
  uncaught(): readonly unknown[];
}

const stillMs = 1_800_000_000_000;
/** Of an error's stack, where somebody looks at it. */
const watchedFramesMax = 20;

export function sealPlatform(): Seal {
  let chance: Dice = dice(0, "platform");
  let thrown: unknown[] = [];
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const uuid = (): `${string}-${string}-${string}-${string}-${string}` => {
    const text = hex(chance.bytes(16));
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
  };
  crypto.randomUUID = uuid;
  syncBuiltinESMExports();
  Math.random = () => chance.fraction();
  Date.now = () => stillMs;
  const refuse = (): never => {
    throw new Error("a timer of the platform was armed behind the clock port");
  };
  Object.assign(globalThis, { setTimeout: refuse, setInterval: refuse });
  process.on("uncaughtException", (error) => void thrown.push(error));
  process.on("unhandledRejection", (error) => void thrown.push(error));
  return {
    begin(seed, isWatched) {
      chance = dice(seed, "platform");
      thrown = [];
      Error.stackTraceLimit = isWatched ? watchedFramesMax : 0;
    },
    uncaught: () => thrown,
  };
}
