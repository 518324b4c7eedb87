/**
 * The stream of connections that ended, for admins, as a plugin beside the app's.
 *
 * Records are kept as long as the table of lifetimes says. Nothing else is stored of a connection.
 */
import type { Plugin, Transaction } from "../plugin.ts";
import type { ConnectionRecord } from "./connectionRecord.ts";

export const connectionsStream = "connections";
export const keepRecordsTask = "connections.keep";

/** What one write holds. */
export interface KeptRecords {
  readonly records: readonly ConnectionRecord[];
  /** Records since the last write that found no place to wait. */
  readonly dropped: number;
}

export const plugin: Plugin = {
  name: "connections",
  migrations: {},
  methods: {},
  streams: [
    {
      name: connectionsStream,
      always: true,
      inbox: false,
      mayRead: ({ role }) => role === "admin",
      lifetime: "records",
    },
  ],
  tasks: { [keepRecordsTask]: keep },
};

async function keep(tx: Transaction, { records, dropped }: KeptRecords): Promise<void> {
  for (const record of records) tx.append(connectionsStream, { event: "connection.ended", data: record });
  if (dropped > 0) tx.append(connectionsStream, { event: "connection.dropped", data: { records: dropped } });
}
