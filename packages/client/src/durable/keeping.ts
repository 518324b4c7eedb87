/**
 * A durable request in the core: it goes out in its place, and only when what it goes out as was written down (RQ-3).
 *
 *   kept ─written─▶ queued ─named─▶ kept ─id written─▶ queued ─▶ sent
 *
 * Without its id written down a reload would make it a second time, so a storage that fails is asked again after
 * `savingRetryMs`. What was never written (there is no storage, or it is not durable) goes out as any other.
 */
import type { Asked, Entry, Keeper, Outbox } from "../core/outbox.ts";
import type { NamedRequest } from "../storage/port.ts";
import { join, mayGo, passOn } from "./lanes.ts";

/** A storage that could not write an id down is asked again after this. */
export const savingRetryMs = 2_000;

/** What the storage has of a request: nothing, the request, or its id too. */
export type Stored = "no" | "unsent" | "named";

export interface KeeperOptions {
  readonly lane: string | undefined;
  /** Which requests are of which lane: one map a session. */
  readonly lanes: Map<Entry, string>;
  readonly stored: Stored;
  /** It waits for its first writing. */
  readonly isSaving: boolean;
  /** It went out as this before. */
  readonly named: NamedRequest | undefined;
  /** False while whoever asked has not released it. */
  readonly mayName: () => boolean;
  /** It has the id under which it goes out; who else keeps it must know before the server does. */
  readonly onNamed: (named: NamedRequest) => void;
  /** Write that id down, then say `noteSaved`. */
  readonly save: () => void;
}

export interface RequestKeeper extends Keeper {
  /** It is written down now: what was not sent yet waits for that. */
  hold(outbox: Outbox, asked: Asked): void;
  /** The storage has answered. */
  saved(outbox: Outbox, asked: Asked, ok: boolean, now: number): void;
}

export function makeKeeper(options: KeeperOptions): RequestKeeper {
  const { lane, lanes, isSaving, mayName, onNamed, save } = options;
  let { stored, named: told } = options;
  return {
    added(outbox, entry) {
      if (isSaving) entry.phase = "kept";
      if (lane === undefined) return;
      join(outbox, entry, lanes, lane);
      lanes.set(entry, lane);
    },
    maySend(entry, name, { out }) {
      if (!mayGo(entry) || (entry.named === undefined && !mayName())) return false;
      const named = name();
      if (told === undefined) {
        told = named;
        out.push({ kind: "tell", tell: () => onNamed(named) });
      }
      if (stored !== "unsent") return true;
      entry.phase = "kept";
      out.push({ kind: "tell", tell: save });
      return false;
    },
    settled(outbox, entry, error, context) {
      lanes.delete(entry);
      passOn(outbox, entry, error, context);
    },
    hold(outbox, asked) {
      const entry = outbox.entries.get(asked);
      if (entry?.phase === "queued" && entry.named === undefined) entry.phase = "kept";
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
