/** The chat's server side: one table, one method, one stream. Who is typing or here is told by signals, and kept nowhere. */
import { definePlugin, type Generated, type MethodsOf } from "@holdfast/server/define";
import { z } from "zod";

const shownMax = 1_000;

export type Message = { id: number; name: string; text: string; at: number };
type Tables = { messages: Omit<Message, "id"> & { id: Generated<number> } };
export type ChatMethods = MethodsOf<typeof plugin>;

export const plugin = definePlugin<Tables>()({
  name: "chat",
  migrations: { "chat-001": "create table messages (id integer primary key, name text, text text, at integer)" },
  methods: {
    "message.send": {
      params: z.object({ text: z.string().trim().min(1).max(2_000) }),
      async handle(tx, { text }, caller) {
        const row = tx.db.insertInto("messages").values({ name: caller.name, text, at: tx.now });
        tx.append("room", { event: "message", data: await row.returningAll().executeTakeFirstOrThrow() });
      },
    },
  },
  streams: [
    {
      name: "room",
      async snapshot({ db }) {
        const newest = db.selectFrom("messages").selectAll().orderBy("id", "desc").limit(shownMax);
        return { messages: (await newest.execute()).reverse() };
      },
    },
  ],
});
