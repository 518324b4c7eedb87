/**
 * SIGKILL of the process with the store, 0 to 12 ms after a batch was sent: before, in and after its commit.
 *
 * Life cycle of a cycle: a writer starts on what the last one left → some batches → SIGKILL → its last words are
 * heard → every few cycles the store is opened and compared with all that was ever acknowledged. One history runs
 * through all cycles, so that what one cycle kept, a later one must not lose; the next writer says at once how far it
 * found the store.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type History, type Judgement, judge, newHistory } from "./history.ts";
import { lookInto } from "./lookShell.ts";
import { startWriter } from "./writerShell.ts";

const batchesMax = 25;
const afterBeginMsMax = 12;
/** The whole store is read after so many kills, and after the last. */
const lookEvery = 5;

export interface KillReport {
  readonly cycles: number;
  readonly history: History;
  readonly last: Judgement;
  /** Kills that left a batch without an answer: those that hit one. */
  readonly hits: number;
}

/** Stops at the first breach. */
export async function runKills(
  folder: string,
  cycles: number,
  say: (line: string) => void = () => {},
): Promise<KillReport> {
  const history = newHistory();
  let hits = 0;
  let last: Judgement = { lost: 0, repeated: 0, reordered: 0, phantom: 0, breaches: [] };
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const writer = startWriter(history, { folder, ...(history.open === undefined ? {} : { again: history.open }) });
    await writer.begun(1 + Math.floor(Math.random() * batchesMax));
    await sleep(Math.random() * afterBeginMsMax);
    await writer.kill();
    if (history.open !== undefined) hits += 1;
    if (cycle % lookEvery !== 0 && cycle < cycles) continue;
    last = judge(history, await lookInto(folder));
    say(
      `kill ${cycle}: ${history.acknowledged} acknowledged, ${history.begun} sent; ${last.breaches.join("; ") || "all there"}`,
    );
    if (last.breaches.length > 0) return { cycles: cycle, history, last, hits };
  }
  return { cycles, history, last, hits };
}
