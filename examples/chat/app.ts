/** The chat's server side: one table, one method, one stream. Who is typing or here is told by signals, and kept nowhere. */
import { definePlugin, type MethodsOf } from "@holdfast/server/define";
import { z } from "zod";

const shownMax = 1_000;

export type Message = { id: string; name: string; text: string; at: number };
export type ChatMethods = MethodsOf<typeof plugin>;

export const plugin = definePlugin<{ messages: Message }>()({
  name: "chat",
  migrations: { "chat-001": "create table messages (id text primary key, name text, text text, at integer)" },
  methods: {
    "message.send": {
      params: z.object({ text: z.string().trim().min(1).max(2_000) }),
      async handle(tx, { text }, caller) {
        const message = { id: tx.newId(), name: caller.name, text, at: tx.now };
        await tx.db.insertInto("messages").values(message).execute();
        tx.append("room", { event: "message", data: message });
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
