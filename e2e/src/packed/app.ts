/** The app of the published packages' proof: notes by a method, and logs that whoever likes appends to. */
import { definePlugin, type Generated, type MethodsOf } from "@holdfast/server/define";
import { z } from "zod";

interface Tables {
  notes: { id: Generated<number>; text: string };
}

export type Methods = MethodsOf<typeof plugin>;

export const plugin = definePlugin<Tables>()({
  name: "packed",
  migrations: { "packed-001": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)" },
  methods: {
    "note.add": {
      params: z.object({ text: z.string().min(1).max(100) }),
      async handle(tx, { text }) {
        await tx.db.insertInto("notes").values({ text }).execute();
        tx.append("notes", { event: "note.added", data: { text } });
        return { text };
      },
    },
  },
  streams: [
    { name: "notes" },
    {
      name: "log/",
      async publish(tx, { stream, events }) {
        return events.map(({ event, data }) => {
          tx.append(stream, { event, data });
          return null;
        });
      },
    },
  ],
});
