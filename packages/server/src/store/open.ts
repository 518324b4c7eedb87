/**
 * Which store a server has: PostgreSQL where a URL is given, else the embedded one in the data folder.
 *
 * There is no fallback: a database that cannot be used is a `StartError`, never the other kind.
 */
import { join } from "node:path";
import type { Clock, Random } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Bus } from "../streams/bus.ts";
import type { Store } from "./port.ts";
import { postgresAddress } from "./postgres/address.ts";
import { openSqliteStore, takeFolder } from "./sqlite/store.ts";

export type StoreKind = "sqlite" | "postgres";

export interface StoreSettings {
  /** Folder of the embedded store; locked whatever the store. */
  readonly data: string;
  readonly database: { readonly url: string; readonly busUrl?: string } | undefined;
  /** Modules that export `plugin`. */
  readonly plugins: readonly URL[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface OpenedStore {
  readonly kind: StoreKind;
  readonly store: Store;
  /** Names it in the log (AD-4). */
  readonly place: Readonly<Record<string, string | number>>;
  /** To the other nodes on it, where there can be any. */
  readonly bus: Bus | undefined;
  close(): Promise<void>;
}

/** Throws `StartError`. */
export async function openStore(settings: StoreSettings): Promise<OpenedStore> {
  return settings.database === undefined ? openEmbedded(settings) : openDatabase(settings, settings.database);
}

async function openEmbedded({ data, plugins, clock, log }: StoreSettings): Promise<OpenedStore> {
  const place = { store: "sqlite", file: join(data, "holdfast.db") } as const;
  const onFailure = (error: unknown): void => log.error("store.failed", { ...place, error });
  const store = await openSqliteStore({
    folder: data,
    plugins,
    clock,
    onFailure,
    onReopened: (reopened) => log.info("store.reopened", { ...place, ...reopened }),
  });
  return { kind: "sqlite", store, place, bus: undefined, close: () => store.close() };
}

async function openDatabase(
  { data, plugins, clock, random, log }: StoreSettings,
  { url, busUrl = url }: { readonly url: string; readonly busUrl?: string },
): Promise<OpenedStore> {
  const { host, port, database, inTheClear } = postgresAddress(url);
  const place = { store: "postgres", host, port, database } as const;
  // Looked at before anything is opened.
  if (postgresAddress(busUrl).inTheClear || inTheClear)
    log.warn("store.in_the_clear", {
      ...place,
      advice:
        "others on the way can read what is sent, and the password's proof: add sslmode=verify-full to the database's URL",
    });
  // Loaded only here: a start on the embedded store needs neither driver nor engine in this thread.
  const { openPostgresStore } = await import("./postgres/store.ts");
  const { openPostgresBus } = await import("./postgres/bus.ts");
  // Whose folder it is (keys, the running server's address) is one process's, also where the store is elsewhere.
  const lock = takeFolder(data);
  const onMigrationWait = (): void => log.info("store.migration_awaited", place);
  const onClockDifference = (aheadMs: number): void =>
    log.warn("store.clock_differs", {
      ...place,
      aheadMs,
      advice: "set this machine's clock, or the database's: a request that moves to a server minutes behind is refused",
    });
  const parts = { url, plugins, clock, random, name: "holdfast", onMigrationWait, onClockDifference };
  const store = await openPostgresStore(parts).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  const bus = openPostgresBus({ url: busUrl, clock, random, log, name: "holdfast bus" });
  const close = async (): Promise<void> => {
    await bus.close();
    await store.close();
    lock.release();
  };
  return { kind: "postgres", store, place, bus, close };
}
