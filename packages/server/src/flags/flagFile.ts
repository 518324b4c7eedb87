/**
 * The file of flags as the server has it: read at the start, looked at each {@link lookMs}, taken when it has changed.
 *
 * Life cycle: opened, or refused with a `StartError` → a changed file is taken whole, told once → a file that is wrong,
 * too large or gone is told once, and what was read before goes on → stopped. Invariants: one look under way; no
 * opening waits for the disk. It looks at times and size, since change notices differ between systems.
 */
import { readFile, stat } from "node:fs/promises";
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { FlagdCore } from "@openfeature/flagd-core";
import type { Log } from "../observe/log.ts";
import { StartError } from "../startError.ts";
import { readFlagDefinitions } from "./flagDefinitions.ts";

export const lookMs = 1_000;
const fileBytesMax = 1_000_000;

export interface FlagFile {
  /** What was read last of all that was good. */
  readonly core: FlagdCore;
  stop(): void;
}

export async function openFlagFile(file: string, clock: Clock, log: Log): Promise<FlagFile> {
  let seen = "";
  let core: FlagdCore;
  let timer: TimerHandle | undefined;
  let stopped = false;

  /** Undefined: as it was. */
  const read = async (): Promise<FlagdCore | undefined> => {
    const state = await stat(file).catch((error: unknown) => {
      throw changed("gone") ? new Error("it cannot be read", { cause: error }) : asBefore;
    });
    if (!changed(`${state.mtimeMs} ${state.size} ${state.ino}`)) return undefined;
    if (state.size > fileBytesMax) throw new Error(`it has ${state.size} bytes, more than ${fileBytesMax}`);
    return readFlagDefinitions(await readFile(file, "utf8"));
  };

  const changed = (now: string): boolean => {
    const before = seen;
    seen = now;
    return now !== before;
  };

  const look = async (): Promise<void> => {
    try {
      const read_ = await read();
      if (read_ !== undefined) {
        core = read_;
        log.info("flags.taken", { file, flags: [...core.getFlags().keys()] });
      }
    } catch (error) {
      if (error !== asBefore)
        log.warn("flags.refused", { file, error, meaning: "the flags that were read before go on" });
    }
    arm();
  };

  const arm = (): void => {
    if (!stopped) timer = clock.after(lookMs, () => void look());
  };

  try {
    const first = await read();
    if (first === undefined) throw new Error("it cannot be read");
    core = first;
  } catch (error) {
    const { message } = error as Error;
    throw new StartError(`The file of flags ${file} cannot be used: ${message}.`, { cause: error });
  }
  arm();
  return {
    get core() {
      return core;
    },
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
    },
  };
}

/** A file that is gone is told of once. */
const asBefore = new Error("as before");
