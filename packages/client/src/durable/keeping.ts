/**
 * A durable request in the core: it goes out only when what it goes out as was written down (RQ-3).
 *
 *   kept ─written─▶ queued ─named─▶ kept ─id written─▶ queued ─▶ sent
 *
 * Without its id written down a reload would make it a second time, so a storage that fails is asked again after
 * `savingRetryMs`. What was never written (there is no storage, or it is not durable) goes out as any other.
 */
import type { Asked, Entry, Keeper, Outbox, OutboxContext } from "../core/outbox.ts";
import type { NamedRequest } from "../storage/port.ts";

/** A storage that could not write an id down is asked again after this. */
export const savingRetryMs = 2_000;

/** What the storage has of a request: nothing, the request, or its id too. */
export type Stored = "no" | "unsent" | "named";

export interface KeeperOptions {
  readonly stored: Stored;
  /** It waits for its first writing. */
  readonly isSaving: boolean;
  /** It went out as this before. */
  readonly named: NamedRequest | undefined;
  /** It has the id under which it goes out; who else keeps it must know before the server does. */
  readonly onNamed: (named: NamedRequest) => void;
  /** Write that id down, then say `noteSaved`. */
  readonly save: () => void;
}

export interface RequestKeeper extends Keeper {
  readonly stored: Stored;
  /** The storage has answered. */
  saved(outbox: Outbox, asked: Asked, ok: boolean, now: number): void;
}

export function makeKeeper({ stored: before, isSaving, named: known, onNamed, save }: KeeperOptions): RequestKeeper {
  let stored = before;
  let told = known;
  return {
    isReady: !isSaving,
    get stored() {
      return stored;
    },
    maySend(_entry: Entry, named: NamedRequest, { out }: OutboxContext) {
      if (told === undefined) {
        told = named;
        out.push({ kind: "tell", tell: () => onNamed(named) });
      }
      if (stored !== "unsent") return true;
      out.push({ kind: "tell", tell: save });
      return false;
    },
    saved(outbox, asked, ok, now) {
      const entry = outbox.entries.get(asked);
      if (entry === undefined || entry.phase !== "kept") return;
      if (ok) stored = entry.named === undefined ? "unsent" : "named";
      if (ok || entry.named === undefined) entry.phase = "queued";
      else {
        entry.phase = "retrying";
        entry.retryAtMs = now + savingRetryMs;
      }
    },
  };
}
