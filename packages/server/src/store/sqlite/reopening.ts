/**
 * A database that is closed and opened again after its disk has failed.
 *
 * After a failed `fsync` the kernel may take the pages for written: the next one succeeds, and proves nothing of
 * them (RELIABILITY "fsync returns EIO once"). So nothing more is asked of that connection. Life cycle: open → a
 * call fails with the disk's error → closed → the next call opens it again, recovers what was durable, and only
 * then goes on; where it does not open, that call fails, and the next one tries. Invariant: no commit is
 * acknowledged by a connection that has seen its disk fail.
 */

/** SQLite's primary result codes of a disk or file that cannot be trusted: IOERR, CORRUPT, NOTADB. */
const diskCodes: ReadonlySet<number> = new Set([10, 11, 26]);

export interface Reopening<Opened> {
  /** What is open; opened again where it was closed. Throws why it does not open. */
  use(): Opened;
  /** A call on it failed with this. */
  failed(error: unknown): void;
  /** What is open, if anything, to be closed for good. */
  last(): Opened | undefined;
}

/** @param close must not throw: what the same disk does to it concerns nobody any more */
export function createReopening<Opened>(open: () => Opened, close: (opened: Opened) => void): Reopening<Opened> {
  let opened: Opened | undefined = open();
  return {
    use() {
      opened ??= open();
      return opened;
    },
    failed(error) {
      const code = (error as { errcode?: unknown } | null)?.errcode;
      if (opened === undefined || typeof code !== "number" || !diskCodes.has(code & 0xff)) return;
      const failing = opened;
      opened = undefined;
      close(failing);
    },
    last: () => opened,
  };
}
