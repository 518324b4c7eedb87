/**
 * The polite end of a program, hang up, ask, insist; and a person's stop of one: interrupt, ask, insist.
 *
 * Time is the caller's clock; each rung goes to the whole process group. It resolves when the pty ended or,
 * where even SIGKILL does not help (a process in the kernel's hands), when the last limit has passed.
 */
import type { Clock } from "@holdfast/protocol";
import type { Pty } from "./port.ts";

/** From SIGHUP on, ms: when SIGTERM follows, when SIGKILL, and when we stop waiting. */
export const terminateAfterMs = 1_500;
export const killAfterMs = 4_000;
export const endMsMax = 5_000;

/** From SIGINT on, ms (CONTROL.md: by force after 10 s). */
export const interruptTerminateAfterMs = 5_000;
export const interruptKillAfterMs = 9_000;

/** What Ctrl-C does, and more where it does not help. Returns at once; the rungs end with the program. */
export function interruptPolitely(pty: Pty, ended: Promise<unknown>, clock: Clock): void {
  pty.signal("SIGINT");
  const rungs = [
    clock.after(interruptTerminateAfterMs, () => pty.signal("SIGTERM")),
    clock.after(interruptKillAfterMs, () => pty.signal("SIGKILL")),
  ];
  void ended.then(() => {
    for (const rung of rungs) clock.cancel(rung);
  });
}

export async function endPolitely(pty: Pty, ended: Promise<unknown>, clock: Clock): Promise<void> {
  pty.signal("SIGHUP");
  const rungs = [
    clock.after(terminateAfterMs, () => pty.signal("SIGTERM")),
    clock.after(killAfterMs, () => pty.signal("SIGKILL")),
  ];
  const patience = new Promise<void>((resolve) => {
    rungs.push(clock.after(endMsMax, resolve));
  });
  await Promise.race([ended, patience]);
  for (const rung of rungs) clock.cancel(rung);
}
