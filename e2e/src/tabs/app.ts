/** The server's side of the tabs' test: a method that appends to one log, and is told apart by what it says. */
import { definePlugin } from "@holdfast/server/define";
import { z } from "zod";

export const plugin = definePlugin<Record<never, never>>()({
  name: "tabs-test",
  methods: {
    say: {
      params: z.object({ words: z.array(z.string()).max(500) }),
      async handle(tx, { words }) {
        for (const word of words) tx.append("log", { event: "said", data: { word } });
        return words.length;
      },
    },
  },
  streams: [{ name: "log" }],
});
