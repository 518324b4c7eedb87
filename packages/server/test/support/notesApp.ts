/** A small app for tests: notes that anyone adds, a log that anyone publishes to, one inbox. */

import { ProtocolError } from "@holdfast/protocol";
import type { Generated, Kysely } from "kysely";
import { z } from "zod";
import type { Plugin, ReadTransaction, Transaction } from "../../src/plugin.ts";

interface Tables {
  notes: { id: Generated<number>; text: string };
}

const db = (tx: ReadTransaction): Kysely<Tables> => tx.db as Kysely<Tables>;

export const plugin: Plugin = {
  name: "notes",
  migrations: {
    "notes-001": {
      up: async (kysely) => {
        await kysely.schema
          .createTable("notes")
          .addColumn("id", "integer", (column) => column.primaryKey())
          .addColumn("text", "text", (column) => column.notNull())
          .execute();
      },
    },
  },
  methods: {
    "note.add": {
      params: z.object({ text: z.string() }),
      role: "operator",
      kind: "effect",
      handle: async (tx: Transaction, params: { text: string }) => {
        await db(tx).insertInto("notes").values({ text: params.text }).execute();
        tx.append("notes", { event: "note.added", data: { text: params.text } });
        if (params.text === "refuse") throw new ProtocolError("conflict", "refused as asked");
        if (params.text === "break") throw new TypeError("broken as asked");
        return { text: params.text };
      },
    },
    "key.make": {
      params: z.object({}),
      role: "operator",
      kind: "effect",
      secret: ["secret"],
      handle: async () => ({ name: "k", secret: "hfk_1" }),
    },
    "note.list": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx: Transaction) => ({ items: await db(tx).selectFrom("notes").select("text").execute() }),
    },
  },
  streams: [
    {
      name: "notes",
      always: true,
      inbox: false,
      mayRead: () => true,
      snapshot: async (tx) => ({ notes: await db(tx).selectFrom("notes").select("text").execute() }),
    },
    {
      name: "log/",
      always: false,
      inbox: false,
      mayRead: () => true,
      rollUp: {
        key: (event) => (event === "text" ? "text" : undefined),
        join: (_event, data) => ({ text: data.map((part) => (part as { text: string }).text).join("") }),
      },
      publish: async (tx, request) => {
        if (request.generation !== undefined && request.generation < 2)
          throw new ProtocolError("fenced", "an older process");
        return request.events.map((event) => {
          if (event.event === "poison") return new ProtocolError("invalid_params", "poison").toBody();
          tx.append(request.stream, event);
          return null;
        });
      },
    },
    { name: "admins", always: true, inbox: false, mayRead: (principal) => principal.role === "admin" },
    { name: "inbox/", always: false, inbox: true, mayRead: (principal, stream) => stream === `inbox/${principal.id}` },
  ],
  agents: {
    hello: async (tx, { hello }) => {
      tx.open(`inbox/${hello.name}`);
      const generation = hello.capabilities.includes("newer") ? 2 : 1;
      const { workspace } = tx;
      if (generation > 1) tx.tellNodes({ kind: "agentFenced", workspace, agent: hello.name, generation });
      return { identity: { id: hello.name, name: hello.name, generation }, inbox: `inbox/${hello.name}` };
    },
  },
  tasks: {
    "notes.inbox": async (tx: Transaction, input: { to: string; text: string }) => {
      tx.append(`inbox/${input.to}`, { event: "told", data: { text: input.text } });
      return null;
    },
  },
};
