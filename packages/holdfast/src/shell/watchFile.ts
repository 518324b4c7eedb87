/**
 * Tells when a small file was written anew: how a local agent learns that its server was started again.
 *
 * It looks at the file's times, since change notices differ between systems and miss a file that is replaced.
 */
import { type Stats, unwatchFile, watchFile as watchTimes } from "node:fs";
import { readTextFile } from "../files/privateFile.ts";

export const lookEveryMs = 200;

/** Calls `written` after each write, not after a removal. Returns how to stop; keeps no process alive. */
export function watchFile(path: string, written: () => void): () => void {
  const listener = (now: Stats, before: Stats): void => {
    if (now.mtimeMs !== 0 && (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino)) written();
  };
  watchTimes(path, { interval: lookEveryMs, persistent: false }, listener);
  return () => unwatchFile(path, listener);
}

/**
 * Calls `changed` whenever the file says something else than before, at first than `text`: nothing is missed between the
 * caller's own reading and this. Returns how to stop; keeps no process alive.
 */
export function watchText(path: string, text: string | undefined, changed: () => void): () => void {
  let before = text;
  const timer = setInterval(() => {
    const now = readTextFile(path);
    if (now === before || now === undefined) return;
    before = now;
    changed();
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
