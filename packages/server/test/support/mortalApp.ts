/** An app with a method that ends the thread it runs in, as running out of memory would. */
import { z } from "zod";
import type { Plugin } from "../../src/plugin.ts";

export const plugin: Plugin = {
  name: "mortal",
  migrations: {},
  methods: {
    die: {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async () => process.exit(3),
    },
  },
  streams: [],
  tasks: {},
};
