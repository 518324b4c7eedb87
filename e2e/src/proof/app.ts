/**
 * The app of the protocol's proof: the control centre, and beside it a few methods and streams with nothing to
 * hide, so that every rule that a client can break has something to be broken on.
 *
 * Loaded twice, as every app is. Each note is a row and an event of one transaction: the rows say how often an
 * effect happened, the events what readers were told of it. It deliberately fails only where it is asked to.
 */
import { plugin as control } from "@holdfast/control/plugin";
import { definePlugin, type Generated, ProtocolError } from "@holdfast/server/define";
import { z } from "zod";

interface Tables {
  proof_notes: { id: Generated<number>; text: string };
}

const own = definePlugin<Tables>()({
  name: "proof",
  migrations: { "proof-001": "CREATE TABLE proof_notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)" },
  methods: {
    "note.add": {
      params: z.object({ text: z.string().min(1).max(1_000) }),
      async handle(tx, { text }) {
        await tx.db.insertInto("proof_notes").values({ text }).execute();
        tx.append("notes", { event: "note.added", data: { text } });
        if (text.startsWith("refuse")) throw new ProtocolError("conflict", "refused as asked");
        if (text.startsWith("break")) throw new TypeError("broken as asked");
        return { text };
      },
    },
    "note.list": {
      kind: "read",
      params: z.object({}),
      handle: async (tx) => ({ items: await tx.db.selectFrom("proof_notes").select("text").orderBy("id").execute() }),
    },
    "admin.only": { role: "admin", params: z.object({}), handle: async () => ({}) },
  },
  streams: [
    { name: "notes" },
    { name: "admins", mayRead: ({ role }) => role === "admin" },
    {
      name: "log/",
      async publish(tx, { stream, events }) {
        return events.map(({ event, data }) => {
          if (event === "poison") return new ProtocolError("invalid_params", "poison, as asked").toBody();
          tx.append(stream, { event, data });
          return null;
        });
      },
    },
  ],
});

export const plugin = {
  ...control,
  name: "proof",
  migrations: { ...control.migrations, ...own.migrations },
  methods: { ...control.methods, ...own.methods },
  streams: [...control.streams, ...own.streams],
};
