/** The board's server side: one table, three methods, one stream. A change and what is told of it are one transaction. */
import { definePlugin, type MethodsOf, ProtocolError } from "@holdfast/server/define";
import { z } from "zod";

const card = z.object({
  id: z.uuid(),
  title: z.string().trim().min(1).max(200),
  stage: z.enum(["todo", "doing", "done"]),
  rank: z.number(),
});
export type Card = z.infer<typeof card>;
export type BoardMethods = MethodsOf<typeof plugin>;

export const plugin = definePlugin<{ cards: Card }>()({
  name: "board",
  migrations: { "board-001": "create table cards (id text primary key, title text, stage text, rank real)" },
  methods: {
    "card.add": {
      params: card.omit({ id: true }),
      async handle(tx, params) {
        const added = { id: tx.newId(), ...params };
        await tx.db.insertInto("cards").values(added).execute();
        tx.append("board", { event: "added", data: added });
        return added;
      },
    },
    "card.change": {
      params: card.partial().required({ id: true }),
      async handle(tx, change) {
        const update = tx.db.updateTable("cards").set(change).where("id", "=", change.id);
        const { numUpdatedRows } = await update.executeTakeFirst();
        if (numUpdatedRows === 0n) throw new ProtocolError("not_found", "Somebody deleted this card.");
        tx.append("board", { event: "changed", data: change });
      },
    },
    "card.delete": {
      params: card.pick({ id: true }),
      async handle(tx, { id }) {
        await tx.db.deleteFrom("cards").where("id", "=", id).execute();
        tx.append("board", { event: "deleted", data: { id } });
      },
    },
  },
  streams: [
    { name: "board", snapshot: async ({ db }) => ({ cards: await db.selectFrom("cards").selectAll().execute() }) },
  ],
});
