/** The bench's app for Holdfast: one family of streams that anyone reads and publishes to, no snapshot. */
import type { Plugin } from "@holdfast/server";

export const plugin: Plugin = {
  name: "bench",
  migrations: {},
  methods: {},
  tasks: {},
  streams: [
    {
      name: "bench/",
      always: false,
      inbox: false,
      mayRead: () => true,
      publish: async (tx, request) =>
        request.events.map((event) => {
          tx.append(request.stream, event);
          return null;
        }),
    },
  ],
};
