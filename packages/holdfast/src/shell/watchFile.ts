/**
 * Tells when a small file was written anew: how a local agent learns that its server was started again.
 *
 * It looks at the file's times, since change notices differ between systems and miss a file that is replaced.
 */
import { type Stats, unwatchFile, watchFile as watchTimes } from "node:fs";

export const lookEveryMs = 200;

/** Calls `written` after each write, not after a removal. Returns how to stop; keeps no process alive. */
export function watchFile(path: string, written: () => void): () => void {
  const listener = (now: Stats, before: Stats): void => {
    if (now.mtimeMs !== 0 && (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino)) written();
  };
  watchTimes(path, { interval: lookEveryMs, persistent: false }, listener);
  return () => unwatchFile(path, listener);
}
