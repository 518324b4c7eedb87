/** A storage that forgets with the process: for tests, and where there is nowhere to write. */
import type { Identity } from "@holdfast/protocol";
import { isSameIdentity, jsonBytes, outboxBytes, statesToForget } from "./bounds.ts";
import {
  outboxStoredBytesMax,
  type SessionStorage,
  type StoredRequest,
  type StoredState,
  stateStoredBytesMax,
} from "./port.ts";

/** All that a storage holds, as one value: what a file holds too. */
export interface Kept {
  identity?: Identity | undefined;
  requests: StoredRequest[];
  /** In the order of their last saving. */
  states: { readonly key: string; readonly bytes: number; readonly state: StoredState }[];
}

export const nothingKept = (): Kept => ({ requests: [], states: [] });

/** @param written called after each change, before it is said to be written */
export function memoryStorage(
  kept: Kept = nothingKept(),
  written: () => Promise<void> = async () => {},
): SessionStorage {
  const clear = (): void => {
    Object.assign(kept, { identity: undefined, ...nothingKept() });
  };
  return {
    async open() {
      return structuredClone({ identity: kept.identity, requests: kept.requests });
    },
    async identify(identity) {
      if (kept.identity !== undefined && !isSameIdentity(kept.identity, identity)) clear();
      kept.identity = identity;
      await written();
    },
    async putRequest(request) {
      const place = kept.requests.findIndex(({ ticket }) => ticket === request.ticket);
      const next = place === -1 ? [...kept.requests, request] : kept.requests.with(place, request);
      const bytes = outboxBytes(next);
      if (bytes > outboxStoredBytesMax)
        throw new RangeError(`the stored requests would take ${bytes} bytes; ${outboxStoredBytesMax} at most`);
      kept.requests = structuredClone(next);
      await written();
    },
    async deleteRequest(ticket) {
      kept.requests = kept.requests.filter((request) => request.ticket !== ticket);
      await written();
    },
    async loadState(identity, key) {
      if (kept.identity === undefined || !isSameIdentity(kept.identity, identity)) return undefined;
      return structuredClone(kept.states.find((row) => row.key === key)?.state);
    },
    async saveState(identity, key, state) {
      const bytes = jsonBytes(state.state);
      const before = kept.states.find((row) => row.key === key)?.state.cursor;
      if (kept.identity === undefined || !isSameIdentity(kept.identity, identity) || bytes > stateStoredBytesMax)
        return false;
      if (before?.epoch === state.cursor.epoch && before.offset > state.cursor.offset) return false;
      const others = kept.states.filter((row) => row.key !== key);
      const gone = new Set(statesToForget(others, bytes));
      kept.states = [...others.filter((row) => !gone.has(row.key)), { key, bytes, state: structuredClone(state) }];
      await written();
      return true;
    },
    async drop() {
      clear();
      await written();
    },
    close() {},
  };
}
