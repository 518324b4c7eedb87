/**
 * The storage of a browser: one IndexedDB database a name, written by whoever holds its lock.
 *
 * `open` waits for the lock `ownerWaitMsMax` (a page that reloads has just let it go) and rejects where another
 * lives: two owners of one outbox would send everything twice. States need no owner: each is written with its
 * cursor in one transaction, which also looks whose the database is.
 */
import type { Cursor, Identity } from "@holdfast/protocol";
import { isSameIdentity, outboxBytes, statesToForget, textBytes } from "./bounds.ts";
import {
  type Held,
  outboxStoredBytesMax,
  type SessionStorage,
  type StoredRequest,
  type StoredState,
  stateStoredBytesMax,
} from "./port.ts";

const ownerWaitMsMax = 1_000;
const version = 1;

interface StateRow {
  readonly key: string;
  readonly cursor: Cursor;
  /** JSON. */
  readonly text: string;
}

interface SizeRow {
  readonly key: string;
  readonly bytes: number;
  readonly savedAt: number;
}

interface RequestRow extends StoredRequest {
  readonly order?: number;
}

/** @param name who shares it; another name is another database */
export function indexedDbStorage(name: string): SessionStorage {
  let database: Promise<IDBDatabase> | undefined;
  let release = (): void => {};

  const connect = (): Promise<IDBDatabase> => {
    database ??= openDatabase(`holdfast ${name}`).then((opened) => {
      // Another tab wants a newer version, or the person cleared the site's data: the next use opens it again.
      opened.onversionchange = () => {
        opened.close();
        database = undefined;
      };
      opened.onclose = () => {
        database = undefined;
      };
      return opened;
    });
    database.catch(() => {
      database = undefined;
    });
    return database;
  };

  async function within<Result>(
    stores: readonly string[],
    mode: IDBTransactionMode,
    work: (store: (name: string) => IDBObjectStore) => Promise<Result>,
  ): Promise<Result> {
    const opened = await connect();
    const transaction = opened.transaction(stores, mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    });
    done.catch(() => {});
    try {
      const result = await work((store) => transaction.objectStore(store));
      await done;
      return result;
    } catch (error) {
      abort(transaction);
      throw error;
    }
  }

  async function drop(): Promise<void> {
    await within(allStores, "readwrite", async (store) => {
      for (const each of allStores) await answer(store(each).clear());
    });
  }

  return {
    async open() {
      release = await own(`holdfast storage ${name}`);
      return await within(["meta", "requests"], "readonly", async (store): Promise<Held> => {
        const identity = (await answer(store("meta").get("identity"))) as Identity | undefined;
        const rows = (await answer(store("requests").getAll())) as RequestRow[];
        return { identity, requests: rows.map(({ order: _, ...request }) => request) };
      });
    },
    async identify(identity) {
      await within(allStores, "readwrite", async (store) => {
        const before = (await answer(store("meta").get("identity"))) as Identity | undefined;
        if (before !== undefined && !isSameIdentity(before, identity))
          for (const each of allStores) await answer(store(each).clear());
        await answer(store("meta").put(identity, "identity"));
      });
    },
    async putRequest(request) {
      await within(["requests"], "readwrite", async (store) => {
        const rows = (await answer(store("requests").getAll())) as RequestRow[];
        const before = rows.find(({ ticket }) => ticket === request.ticket);
        const others = rows.filter((row) => row !== before);
        const bytes = outboxBytes([...others, request]);
        if (bytes > outboxStoredBytesMax)
          throw new RangeError(`the stored requests would take ${bytes} bytes; ${outboxStoredBytesMax} at most`);
        await answer(store("requests").put(before === undefined ? request : { ...request, order: before.order }));
      });
    },
    async deleteRequest(ticket) {
      await within(["requests"], "readwrite", async (store) => {
        const key = await answer(store("requests").index("ticket").getKey(ticket));
        if (key !== undefined) await answer(store("requests").delete(key));
      });
    },
    async loadState(identity, key) {
      return await within(["meta", "states"], "readonly", async (store): Promise<StoredState | undefined> => {
        const whose = (await answer(store("meta").get("identity"))) as Identity | undefined;
        const row = (await answer(store("states").get(key))) as StateRow | undefined;
        if (whose === undefined || !isSameIdentity(whose, identity) || row === undefined) return undefined;
        return { state: JSON.parse(row.text) as unknown, cursor: row.cursor };
      });
    },
    async saveState(identity, key, { state, cursor }) {
      const text = JSON.stringify(state);
      const bytes = textBytes(text);
      if (bytes > stateStoredBytesMax) return false;
      return await within(["meta", "states", "sizes"], "readwrite", async (store) => {
        const whose = (await answer(store("meta").get("identity"))) as Identity | undefined;
        if (whose === undefined || !isSameIdentity(whose, identity)) return false;
        const before = (await answer(store("states").get(key))) as StateRow | undefined;
        if (before?.cursor.epoch === cursor.epoch && before.cursor.offset > cursor.offset) return false;
        const sizes = (await answer(store("sizes").getAll())) as SizeRow[];
        const others = sizes.filter((row) => row.key !== key).sort((one, other) => one.savedAt - other.savedAt);
        for (const old of statesToForget(others, bytes)) {
          await answer(store("states").delete(old));
          await answer(store("sizes").delete(old));
        }
        const savedAt = 1 + Math.max(0, ...sizes.map((row) => row.savedAt));
        await answer(store("states").put({ key, cursor, text } satisfies StateRow));
        await answer(store("sizes").put({ key, bytes, savedAt } satisfies SizeRow));
        return true;
      });
    },
    drop,
    close() {
      release();
      void database?.then(
        (opened) => opened.close(),
        () => {},
      );
      database = undefined;
    },
  };
}

const allStores = ["meta", "requests", "states", "sizes"] as const;

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    const { result } = request;
    result.createObjectStore("meta");
    result.createObjectStore("requests", { keyPath: "order", autoIncrement: true }).createIndex("ticket", "ticket", {
      unique: true,
    });
    result.createObjectStore("states", { keyPath: "key" });
    result.createObjectStore("sizes", { keyPath: "key" });
  };
  return answer(request);
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the database did not answer"));
  });
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It is over already.
  }
}

/** Resolves with how to let it go. */
function own(lock: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    if (!("locks" in navigator)) {
      reject(new Error("this page has no locks (it needs https, or localhost): its outbox stays in memory"));
      return;
    }
    const signal = AbortSignal.timeout(ownerWaitMsMax);
    navigator.locks
      .request(lock, { signal }, () => {
        const { promise, resolve: release } = Promise.withResolvers<void>();
        resolve(release);
        return promise;
      })
      .catch(reject);
  });
}
