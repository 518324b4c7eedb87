/**
 * A stream whose folded state survives a reload: shown at once from what was stored, then read on (ST-6).
 *
 *   loading ─stored, same user─▶ reading on from its cursor
 *      └──────nothing──────────▶ reading "latest"
 *
 * State and cursor are taken in one go, between two batches, and written in one transaction; a handler that
 * threw stores nothing further. Writes are at least `stateSaveApartMs` apart. Whose the state is, the session
 * says; before it knows, what an earlier session of the same storage left is shown (OP-5 drops it if it was
 * another's). It deliberately knows nothing of what the state is but that JSON can say it.
 */
import type { Clock, Identity, TimerHandle } from "@holdfast/protocol";
import type { Session, SubscribeOptions, Subscription } from "../api.ts";
import { platformClock } from "../shell/platform.ts";
import type { SessionStorage } from "./port.ts";

/** Between two writes of one state. */
export const stateSaveApartMs = 1_000;

export interface StoredOptions extends Omit<SubscribeOptions, "from"> {
  readonly storage: SessionStorage;
  /** Whose state is shown before the session has told: the one who was signed in last, as the page knows. */
  readonly identity: Identity;
  /** Names the state; the stream's name by default. Raise a version in it when its shape changes. */
  readonly key?: string;
  /** Takes the stored state for the program's own, before the first event. A throw counts as nothing stored. */
  readonly load: (state: unknown) => void;
  /** The state as it is now; JSON must be able to say it. */
  readonly save: () => unknown;
  /** Where nothing is stored. "latest" by default. */
  readonly otherwise?: "start" | "latest";
  readonly clock?: Clock;
}

/** Like `session.subscribe`, from what is stored. */
export function subscribeStored(session: Session, stream: string, options: StoredOptions): Subscription {
  const { storage, identity, load, save, key = stream, otherwise = "latest", clock = platformClock } = options;
  let subscription: Subscription | undefined;
  let timer: TimerHandle | undefined;
  let isDirty = false;
  /** A handler runs: the cursor is ahead of the state until it has returned. */
  let isApplying = false;
  let ended = false;

  function apply(run: () => void): void {
    isApplying = true;
    try {
      run();
    } finally {
      isApplying = false;
    }
    isDirty = true;
    timer ??= clock.after(stateSaveApartMs, () => {
      timer = undefined;
      write();
    });
  }

  function write(): void {
    const cursor = subscription?.cursor;
    const { user } = session;
    // A stopped reader's state may hold half of what its handler did.
    if (!isDirty || isApplying || cursor === undefined || user === undefined || subscription?.status.kind === "stopped")
      return;
    if (user.id !== identity.user || user.workspace !== identity.workspace) return;
    isDirty = false;
    storage.saveState(identity, key, { state: save(), cursor }).catch(() => {
      // Nothing can be written now; the next change tries again.
      isDirty = true;
    });
  }

  async function begin(): Promise<void> {
    const stored = await storage.loadState(identity, key).catch(() => undefined);
    if (ended) return;
    let from: SubscribeOptions["from"] = otherwise;
    if (stored !== undefined) {
      try {
        load(stored.state);
        from = stored.cursor;
      } catch {
        // Of a shape that this program no longer reads.
      }
    }
    const { onEvents, onSnapshot, onReset } = options;
    subscription = session.subscribe(stream, {
      ...options,
      from,
      onEvents(events, position) {
        apply(() => onEvents(events, position));
      },
      ...(onSnapshot && {
        onSnapshot(data, position) {
          apply(() => onSnapshot(data, position));
        },
      }),
      onReset(reset) {
        apply(() => onReset?.(reset));
      },
    });
  }

  void begin();
  return {
    stream,
    get status() {
      return subscription?.status ?? { kind: "waiting" };
    },
    get cursor() {
      return subscription?.cursor;
    },
    unsubscribe() {
      if (ended) return;
      ended = true;
      clock.cancel(timer);
      write();
      subscription?.unsubscribe();
    },
  };
}
