/** The app whose durability is tried: marks that requests make, and lines that are published. */
import type { Plugin, Transaction } from "@holdfast/server/plugin";
import type { Kysely } from "kysely";
import { z } from "zod";

interface Tables {
  marks: { token: string };
}

const db = (tx: Pick<Transaction, "db">): Kysely<Tables> => tx.db as Kysely<Tables>;

export const plugin: Plugin = {
  name: "durable",
  migrations: {
    "durable-001": {
      // Without a key: a mark that were made twice would be there twice.
      up: async (kysely) => {
        await kysely.schema
          .createTable("marks")
          .addColumn("token", "text", (column) => column.notNull())
          .execute();
      },
    },
  },
  methods: {
    "mark.make": {
      params: z.object({ token: z.string() }),
      role: "operator",
      kind: "effect",
      handle: async (tx: Transaction, { token }: { token: string }) => {
        await db(tx).insertInto("marks").values({ token }).execute();
        return { token };
      },
    },
    "mark.list": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx: Transaction) => ({
        tokens: (await db(tx).selectFrom("marks").select("token").execute()).map(({ token }) => token),
      }),
    },
  },
  streams: [
    {
      name: "log/",
      always: false,
      inbox: false,
      mayRead: () => true,
      publish: async (tx, { stream, events }) => {
        for (const event of events) tx.append(stream, event);
        return events.map(() => null);
      },
    },
  ],
  tasks: {},
};
