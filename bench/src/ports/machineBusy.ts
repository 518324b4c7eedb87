/** How busy the whole machine is: what others do while we measure, and a moment to begin in when they do little. */
import { cpus } from "node:os";
import { wait } from "./monotonic.ts";

const lookMs = 1_000;
/** Cores: below this the machine counts as quiet. */
const quietCores = 0.25;

/** CPU time of all cores since the machine started, ms, without idling. */
export function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Waits for a quiet second, at most `msMax`; the cores that were busy in the last one. */
export async function waitForQuiet(msMax: number): Promise<number> {
  for (let waited = 0; ; waited += lookMs) {
    const before = machineCpuMs();
    await wait(lookMs);
    const busy = (machineCpuMs() - before) / lookMs;
    if (busy < quietCores || waited + lookMs >= msMax) return busy;
  }
}
